/** A value SQLite can bind and structured clone copies cheaply. */
export type Param = string | number | null

/** One row of an answer, in the order of the statement's columns. */
export type Row = readonly Param[]

/** What the worker opens. */
export interface WorkerInput {
  readonly file: string
  readonly max_pages: number | undefined
}

/** An error on its way between threads: structured clone would drop the properties that SQLite's errors carry. */
export interface Failure {
  readonly message: string
  /** SQLite's result code, if it was SQLite that failed. */
  readonly errcode?: number
}

/** Why one commit of a batch was not written; `duplicate` for a task that exists. */
export type CommitFailure = readonly [index: number, why: 'duplicate' | Failure]

/**
 * Main thread to worker, sent as arrays, worked off in order.
 * `batch`: statements with their parameters in one flat array, `[statement, ...params, statement, ...params]`;
 * `ends` tells where each commit ends in it.
 */
export type ToWorker =
  | readonly [op: 'batch', ops: readonly Param[], ends: readonly number[]]
  | readonly [op: 'all' | 'run', id: number, statement: number, params: readonly Param[]]
  | readonly [op: 'close']

/** Worker to main thread, sent as arrays. */
export type FromWorker =
  | readonly [op: 'opened']
  | readonly [op: 'refused', failure: Failure]
  | readonly [op: 'batch', failures: readonly CommitFailure[]]
  | readonly [op: 'rows', id: number, rows: readonly Row[]]
  | readonly [op: 'changes', id: number, changes: number]
  | readonly [op: 'failed', id: number, failure: Failure]
  | readonly [op: 'closed', failure: Failure | undefined]

/** Packs what was thrown for the way between threads. */
export function failureOf(thrown: unknown): Failure {
  const errcode = errcodeOf(thrown)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return errcode === undefined ? { message } : { message, errcode }
}

/** SQLite's (extended) result code of an error; undefined if it did not come from SQLite. */
export function errcodeOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : undefined
}
