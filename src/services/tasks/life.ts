import { phasesOf, spanAfter, type Span, type TaskPhase } from '../../domain/runs.ts'
import { waiting, type RunningWork, type WorkShape } from '../../domain/prediction/work.ts'
import type { Life, TaskError } from '../../domain/task.ts'
import type { PartTimes } from './part-times.ts'
import { loadingOf, type Runs } from './runs.ts'

/** A task as far as its life goes. */
interface Living {
  readonly phase: string
  readonly shape: WorkShape
  readonly log: { readonly partCount: number }
  /** Moments of the clock, ms. */
  readonly accepted_on: number
  readonly started_at: number | undefined
  readonly times: Readonly<PartTimes>
  readonly runs: Runs
  readonly pool: { readonly id: string; readonly loading: Span | undefined }
  since(now: number): number
}

/** What there is to do of a task, and how far it is. */
export function workAt(task: Living, now: number): RunningWork {
  const { shape, log, started_at, times } = task
  if (started_at === undefined) return { shape, progress: waiting }
  // One that ends while it runs has nothing left.
  if (task.phase === 'ending') return { shape: { prompt_tokens: 0, max_tokens: 0 }, progress: waiting }
  const took = task.runs.restored ? undefined : times.took(started_at)
  return { shape, progress: { tokens: log.partCount, since_ms: now - (times.last_at ?? started_at), took } }
}

/** Where a live task has been. */
export const phasesSoFar = (task: Living): TaskPhase[] => phasesOf(task.runs.told, { pool_id: task.pool.id, loading: loadingOf(task) })

/** The whole life of a task that ends now. @param error why it has not completed */
export function lifeOf(task: Living, now: number, error: TaskError | undefined): Life {
  const { runs, pool } = task
  const ended = task.since(now)
  const told = runs.toldAfter(ended, error && { code: error.code, message: error.message })
  const loading = spanAfter(loadingOf(task), told.at(-1)?.ended ?? 0)
  return { runs: told, pool_id: pool.id, ...(loading === undefined ? {} : { loading }), ended }
}
