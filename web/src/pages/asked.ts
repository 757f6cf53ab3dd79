import { useEffect, useState } from 'preact/hooks'
import { reasonOf } from '../dialog.tsx'

/** An answer that is asked for once, and anew when told. */
export interface Asked<T> {
  readonly value: T | undefined
  /** Why there is none. */
  readonly failed: string
  readonly again: () => void
}

/** Asks when the page opens. */
export function useAsked<T>(read: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [value, setValue] = useState<T>()
  const [failed, setFailed] = useState('')
  const [times, setTimes] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    read(stop.signal).then(
      (answer) => {
        setValue(answer)
        setFailed('')
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFailed(reasonOf(error))
      },
    )
    return () => stop.abort()
  }, [times])
  return { value, failed, again: () => setTimes((n) => n + 1) }
}
