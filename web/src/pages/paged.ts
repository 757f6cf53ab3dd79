import { useEffect, useState } from 'preact/hooks'
import { reasonOf } from '../dialog.tsx'

/** One page of a list. */
export interface ListPage<T> {
  readonly items: readonly T[]
  readonly next_cursor: string | undefined
}

/** A list as far as it has been read. */
export interface Paged<T> {
  readonly items: readonly T[]
  readonly state: 'reading' | 'more' | 'all' | 'failed'
  /** Why it cannot be read. */
  readonly failed: string
  /** Reads the next page. */
  readonly more: () => void
  /** Reads all of it anew. */
  readonly again: () => void
}

/** Pages that may be empty before one that is not: so many are read at once. */
const empty_pages = 20

/**
 * Reads a list page by page. @param about what is listed; it is read anew where that changes
 * @param read one page after a cursor
 */
export function usePaged<T>(about: string, read: (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<T>>): Paged<T> {
  const [items, setItems] = useState<readonly T[]>([])
  const [cursor, setCursor] = useState<string>()
  const [state, setState] = useState<Paged<T>['state']>('reading')
  const [failed, setFailed] = useState('')
  const [times, setTimes] = useState(0)
  const load = async (from: string | undefined, there: readonly T[], signal: AbortSignal): Promise<void> => {
    setState('reading')
    try {
      let at = from
      let found: readonly T[] = []
      for (let pages = 0; pages < empty_pages; pages++) {
        const page = await read(at, signal)
        found = page.items
        at = page.next_cursor
        if (found.length > 0 || at === undefined) break
      }
      setItems([...there, ...found])
      setCursor(at)
      setState(at === undefined ? 'all' : 'more')
    } catch (error) {
      if (signal.aborted) return
      setFailed(reasonOf(error))
      setState('failed')
    }
  }
  useEffect(() => {
    const stop = new AbortController()
    void load(undefined, [], stop.signal)
    return () => stop.abort()
  }, [about, times])
  return {
    ...{ items, state, failed },
    more: () => void load(cursor, items, new AbortController().signal),
    again: () => setTimes(times + 1),
  }
}
