import type { BatchRecord } from '../domain/batches/batch.ts'

/** Which batches of an owner to list, newest first. */
export interface BatchFilter {
  readonly owner: string
  /** Only batches older than this one. */
  readonly after?: string
  readonly limit: number
}

/** Reads what `batch_put` facts wrote. */
export interface BatchStore {
  get(owner: string, batch_id: string): Promise<BatchRecord | undefined>
  list(filter: BatchFilter): Promise<BatchRecord[]>
  /** Everybody's that are not over, oldest first. */
  unfinished(): Promise<BatchRecord[]>
}
