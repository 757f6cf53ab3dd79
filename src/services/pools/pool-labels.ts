import type { EngineName } from '../../domain/task.ts'

/** Labels that say which engine a series is about. */
export interface PoolLabels {
  readonly engine: EngineName
  readonly engine_version: string
  readonly pool_id: string
}
