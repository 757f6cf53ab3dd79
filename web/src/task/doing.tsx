import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { live } from '../live/store.ts'
import type { Task } from '../live/types.ts'
import { askCancel } from '../queue/row.tsx'
import { go } from '../route.ts'
import { Document } from './document.tsx'

/** What can be done with a task. */
export function Doing({ task, owner }: { readonly task: Task; readonly owner: string | undefined }): VNode {
  const { task_id, session_id, state, queue_position, artifact_id } = task
  const where = state === 'queued' ? `waiting${queue_position === undefined ? '' : ` at place ${queue_position}`}` : 'running'
  const key_name = owner ?? task.owner ?? live.viewer.value?.key_name ?? ''
  const [reading, setReading] = useState(false)
  return (
    <>
      <div class="acts">
        {task.finished_at === undefined && (
          <button type="button" class="danger" data-cancel onClick={() => askCancel(task_id, key_name, where)}>
            Cancel task <kbd>c</kbd>
          </button>
        )}
        {artifact_id !== undefined && (
          <button type="button" aria-expanded={reading} onClick={() => setReading(!reading)}>
            Transcript
          </button>
        )}
        <button type="button" onClick={() => go({ filter: session_id })}>
          Only this session
        </button>
        {/* Pages that are not served securely have no clipboard. */}
        {isSecureContext && (
          <button type="button" onClick={() => void navigator.clipboard.writeText(task_id)}>
            Copy id
          </button>
        )}
      </div>
      {reading && artifact_id !== undefined && <Document artifact_id={artifact_id} owner={owner} name={`${task_id}.json`} />}
    </>
  )
}
