import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../../../sdk/src/index.ts'
import { reasonOf } from '../dialog.tsx'
import { daemonTime } from '../live/clock.ts'
import { rowOfTask } from '../live/store.ts'
import type { Task } from '../live/types.ts'
import { Out } from '../out.tsx'
import { go } from '../route.ts'
import { client } from '../session.ts'
import { Doing } from './doing.tsx'
import { Events, Facts } from './facts.tsx'
import { Say } from './say.tsx'
import { TextSoFar } from './text-so-far.tsx'
import { Tracks } from './track.tsx'

/** How often a task that lives is asked for anew while its panel is open, ms. */
const again_ms = 1000

/** What is known of a task, and when it was told. */
export interface Told {
  readonly task: Task
  /** The daemon's time, ms since 1970. */
  readonly at: number
}

interface PanelProps {
  readonly task_id: string
  readonly owner: string | undefined
}

/** Everything about one task: a sentence, its timeline, facts, its text so far, and what can be done. */
export function Panel({ task_id, owner }: PanelProps): VNode {
  const [told, failed] = useTask(task_id, owner)
  return (
    <section id="task" aria-labelledby="task-title">
      <h2 id="task-title">
        <Out text={task_id} />
        <button type="button" class="close" onClick={() => go({ task: undefined, owner: undefined })}>
          Close <kbd>Esc</kbd>
        </button>
      </h2>
      {failed !== undefined && (
        <p class="bad" role="alert">
          <Out text={failed} />
        </p>
      )}
      {told !== undefined && <Open told={told} owner={owner} />}
    </section>
  )
}

function Open({ told, owner }: { readonly told: Told; readonly owner: string | undefined }): VNode {
  const { task, at } = told
  const row = rowOfTask(task.task_id)
  const prediction = row?.start.value
  const start_at =
    task.state === 'queued'
      ? (prediction?.at ?? (task.predicted_start_ms === undefined ? undefined : at + task.predicted_start_ms))
      : undefined
  return (
    <>
      <Say task={task} row={row} start_at={start_at} />
      <Tracks task={task} start_at={start_at} />
      <Facts task={task} row={row} owner={owner} />
      <Events task={task} />
      {task.workload === 'completion' && (
        <TextSoFar key={task.task_id} task_id={task.task_id} owner={owner} ended={task.finished_at !== undefined} />
      )}
      <Doing task={task} owner={owner} />
    </>
  )
}

/** A task as it is told, anew while it lives; or why it cannot be had. */
function useTask(task_id: string, owner: string | undefined): [Told | undefined, string | undefined] {
  const [told, setTold] = useState<Told>()
  const [failed, setFailed] = useState<string>()
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      let more = true
      try {
        const task = await client.peek().tasks.get(task_id, { owner, signal: stop.signal })
        setTold({ task, at: daemonTime() })
        setFailed(undefined)
        more = task.finished_at === undefined
      } catch (error) {
        if (stop.signal.aborted) return
        setFailed(reasonOf(error))
        // What there is not will not be there later either; while the daemon is away it is asked again.
        more = !(error instanceof ApiError) || error.retriable
      }
      if (more) timer = setTimeout(() => void load(), again_ms)
    }
    void load()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [task_id, owner])
  return [told, failed]
}
