import type { StoredEstimates } from './prediction/estimator.ts'
import type { SwapTimes } from './groups/swap-times.ts'

/** What an operator has done to a pool and what was learned of it, so that it outlives a restart. */
export interface PoolRecord {
  readonly pool_id: string
  /** While it drains: the drain's deadline, milliseconds since the epoch. */
  readonly draining_until?: number
  /** The model a reload put in the place of the configured one. */
  readonly reloaded?: {
    readonly model_ref: string
    /** Digest of the pool's configuration at that time; with another one the configuration holds again. */
    readonly config_digest: string
  }
  /** How long its model takes to come and go, as far as it was seen. */
  readonly swap?: Partial<SwapTimes> & { readonly model_ref: string }
  /** How long tasks of its model take. */
  readonly estimates?: StoredEstimates & { readonly model_ref: string }
}
