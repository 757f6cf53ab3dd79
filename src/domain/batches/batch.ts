import type { components } from '../../../generated/openai.ts'

type View = components['schemas']['Batch']

/** Where a batch is. */
export type BatchStatus = View['status']

/** What every line of a batch asks. */
export type BatchEndpoint = components['schemas']['BatchEndpoint']

/** Something that is wrong with the input of a batch. */
export type BatchProblem = components['schemas']['BatchError']

/** Milestones that a batch has a time for. */
type Milestone = Exclude<BatchStatus, 'validating'>

/** A batch as it is kept. Unique by its id among the batches of its owner. Points in time are milliseconds since the epoch. */
export interface BatchRecord {
  readonly owner: string
  readonly batch_id: string
  readonly endpoint: BatchEndpoint
  readonly input_file_id: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly status: BatchStatus
  readonly created_at: number
  readonly expires_at: number
  /** When it came to be what it was. */
  readonly at: Readonly<Partial<Record<Milestone, number>>>
  readonly problems: readonly BatchProblem[]
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly output_file_id: string | null
  readonly error_file_id: string | null
  /** Every line before this one is done. Lines count from 0. */
  readonly next: number
  /** Lines after `next` that are done as well, rising; there are no more of them than the window is wide. */
  readonly done: readonly number[]
}

const over: ReadonlySet<BatchStatus> = new Set(['failed', 'completed', 'expired', 'cancelled'])

/** Whether nothing happens to the batch any more. */
export const isOver = ({ status }: BatchRecord): boolean => over.has(status)

/**
 * The batch in another status from now on.
 * @param now ms since the epoch by the machine's clock; where that was set back, it became so no earlier than what it was before
 */
export const become = (batch: BatchRecord, status: Milestone, now: number): BatchRecord => ({
  ...batch,
  status,
  at: { ...batch.at, [status]: Math.max(batch.created_at, ...Object.values(batch.at), Math.floor(now)) },
})

/** Whether the line is done. */
export const isDone = ({ next, done }: BatchRecord, line: number): boolean => line < next || done.includes(line)

/** The batch with a line done that was not. */
export function withLine(batch: BatchRecord, line: number, outcome: 'completed' | 'failed'): BatchRecord {
  const done = [...batch.done, line].sort((a, b) => a - b)
  let { next } = batch
  while (done[0] === next) {
    done.shift()
    next++
  }
  return { ...batch, next, done, [outcome]: batch[outcome] + 1 }
}
