import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { TaskFailed } from '../../../sdk/src/index.ts'
import { reasonOf } from '../dialog.tsx'
import { client } from '../session.ts'
import { shownLines } from '../text.ts'
import { Transcript } from './transcript.ts'

/** The text of a task as it comes, read only while it is shown; its newest part is in view. */
export function TextSoFar({
  task_id,
  owner,
  ended,
}: {
  readonly task_id: string
  readonly owner: string | undefined
  readonly ended: boolean
}): VNode | null {
  const [text, setText] = useState('')
  const [failed, setFailed] = useState('')
  const box = useRef<HTMLPreElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    const transcript = new Transcript()
    // However fast the tokens come, the page writes them once a frame.
    let frame = 0
    const write = (): void => {
      frame = 0
      setText(transcript.text())
    }
    const read = async (): Promise<void> => {
      for await (const event of client.peek().tasks.stream(task_id, { owner, signal: stop.signal }))
        if (transcript.take(event) && frame === 0) frame = requestAnimationFrame(write)
    }
    read().catch((error: unknown) => {
      // How a task failed is said above.
      if (!stop.signal.aborted && !(error instanceof TaskFailed)) setFailed(reasonOf(error))
    })
    return () => {
      stop.abort()
      cancelAnimationFrame(frame)
    }
  }, [task_id, owner])
  useEffect(() => {
    const at = box.current
    if (at !== null) at.scrollTop = at.scrollHeight
  }, [text])
  if (failed !== '') return <p class="bad">{shownLines(failed)}</p>
  if (text === '') return null
  return (
    <pre ref={box} tabIndex={0} role="region" aria-label={ended ? 'Its text' : 'Text so far'}>
      {shownLines(text)}
    </pre>
  )
}
