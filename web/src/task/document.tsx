import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { reasonOf } from '../dialog.tsx'
import { client } from '../session.ts'
import { shownLines } from '../text.ts'
import { transcriptText } from './transcript-text.ts'

interface DocumentProps {
  readonly artifact_id: string
  readonly owner: string | undefined
  /** Name of the file that it is saved as. */
  readonly name: string
}

/** A transcript to read and to save. */
export function Document({ artifact_id, owner, name }: DocumentProps): VNode {
  const [content, setContent] = useState<string>()
  const [failed, setFailed] = useState('')
  useEffect(() => {
    const stop = new AbortController()
    client
      .peek()
      .artifacts.get(artifact_id, { owner, signal: stop.signal })
      .then(
        (artifact) => setContent(artifact.content),
        (error: unknown) => {
          if (!stop.signal.aborted) setFailed(reasonOf(error))
        },
      )
    return () => stop.abort()
  }, [artifact_id, owner])
  if (failed !== '')
    return (
      <p class="bad" role="alert">
        {shownLines(failed)}
      </p>
    )
  if (content === undefined) return <p class="m">Reading.</p>
  return (
    <>
      <pre class="document" tabIndex={0} role="region" aria-label="Transcript">
        {shownLines(transcriptText(content))}
      </pre>
      <button type="button" onClick={() => save(content, name)}>
        Save as JSON
      </button>
    </>
  )
}

function save(content: string, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type: 'application/json' }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
