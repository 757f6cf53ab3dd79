import { digestOf } from '../../domain/artifact.ts'
import type { StoredEstimates } from '../../domain/prediction/estimator.ts'
import type { SwapTimes } from '../../domain/groups/swap-times.ts'
import type { PoolRecord } from '../../domain/pool-record.ts'
import type { Journal } from '../../ports/journal.ts'
import { KeyedMutex } from '../keyed-mutex.ts'
import type { PoolConfig } from './pool.ts'

/** What operators have done to pools and what was learned of them, kept so that it outlives a restart. */
export class PoolRecords {
  private readonly records: Map<string, PoolRecord>
  private readonly configured: ReadonlyMap<string, PoolConfig>
  private readonly journal: Pick<Journal, 'commit'>
  private readonly changes = new KeyedMutex()

  /** @param configured pools as the configuration has them */
  constructor(records: readonly PoolRecord[], configured: readonly PoolConfig[], journal: Pick<Journal, 'commit'>) {
    this.records = new Map(records.map((record) => [record.pool_id, record]))
    this.configured = new Map(configured.map((pool) => [pool.id, pool]))
    this.journal = journal
  }

  /** The model that a reload put on the pool; undefined where the configuration holds, because there was none or it has changed since. */
  reloadedModel(pool: PoolConfig): string | undefined {
    const reloaded = this.records.get(pool.id)?.reloaded
    return reloaded?.config_digest === digestOf(pool) ? reloaded.model_ref : undefined
  }

  /** Configured pools that drain, and until when, milliseconds since the epoch. */
  draining(): { readonly pool_id: string; readonly until: number }[] {
    return [...this.records.values()].flatMap(({ pool_id, draining_until: until }) =>
      until === undefined || !this.configured.has(pool_id) ? [] : [{ pool_id, until }],
    )
  }

  /** Durable when it resolves. @param until undefined where it takes tasks again @throws StorageError nothing was written */
  setDraining(pool_id: string, until: number | undefined): Promise<void> {
    return this.change(pool_id, (record) => ({
      ...without(record, 'draining_until'),
      ...(until === undefined ? {} : { draining_until: until }),
    }))
  }

  /** Durable when it resolves. @throws StorageError nothing was written */
  setModel(pool_id: string, model_ref: string): Promise<void> {
    const configured = this.configured.get(pool_id)
    return this.change(pool_id, (record) => ({
      ...without(record, 'reloaded'),
      ...(configured === undefined || configured.model === model_ref
        ? {}
        : { reloaded: { model_ref, config_digest: digestOf(configured) } }),
    }))
  }

  /** How long the pool's model takes to come and go, as far as that was seen. */
  swapTimes({ id, model }: PoolConfig): Partial<SwapTimes> {
    const { model_ref, ...times } = this.records.get(id)?.swap ?? { model_ref: undefined }
    return model_ref === model ? times : {}
  }

  /** Durable when it resolves. @throws StorageError nothing was written */
  setSwapTimes({ id, model }: PoolConfig, times: Partial<SwapTimes>): Promise<void> {
    return this.change(id, (record) => ({ ...record, swap: { ...times, model_ref: model } }))
  }

  /** What was learned of the tasks of the pool's model; undefined where nothing was. */
  estimates({ id, model }: PoolConfig): StoredEstimates | undefined {
    const { model_ref, ...estimates } = this.records.get(id)?.estimates ?? { model_ref: undefined }
    return model_ref === model && 'seen' in estimates ? estimates : undefined
  }

  /** Durable when it resolves. @throws StorageError nothing was written */
  setEstimates({ id, model }: PoolConfig, estimates: StoredEstimates): Promise<void> {
    return this.change(id, (record) => ({ ...record, estimates: { ...estimates, model_ref: model } }))
  }

  /** One change after another, each on top of the one before. */
  private change(pool_id: string, change: (record: PoolRecord) => PoolRecord): Promise<void> {
    return this.changes.run(pool_id, async () => {
      const pool = change(this.records.get(pool_id) ?? { pool_id })
      await this.journal.commit([{ kind: 'pool_put', pool }])
      this.records.set(pool_id, pool)
    })
  }
}

const without = (record: PoolRecord, field: Exclude<keyof PoolRecord, 'pool_id'>): PoolRecord =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== field)) as unknown as PoolRecord
