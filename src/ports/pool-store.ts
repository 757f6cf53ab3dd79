import type { PoolRecord } from '../domain/pool-record.ts'

/** Reads what `pool_put` facts left. */
export interface PoolStore {
  /** The newest record of every pool that has one, configured or not. */
  all(): Promise<PoolRecord[]>
}
