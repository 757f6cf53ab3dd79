import type { EventSink } from '../../domain/daemon-events.ts'
import type { StoredEstimates } from '../../domain/prediction/estimator.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { PoolRecords } from '../pools/pool-records.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'

/** How often what was learned is stored, ms. */
const store_ms = 60_000

/** What the keeping of estimates works with. */
export interface EstimatesParts {
  readonly pools: Pick<Pools, 'all'>
  readonly records: PoolRecords
  readonly clock: Clock
  readonly events: EventSink
}

/** Keeps what the pools' estimators have learned, and how long engines take to come up: it comes back with the daemon, and a kill forgets a minute of it. */
export class Estimates {
  private readonly parts: EstimatesParts
  private readonly written = new WeakMap<Pool, StoredEstimates['seen']>()

  constructor(parts: EstimatesParts) {
    this.parts = parts
  }

  /** Gives the pools what was learned of their models, and stores what they learn now and then. Returns how to stop. */
  start(): CancelTimer {
    const { pools, records, clock } = this.parts
    for (const { config, estimator, replicas } of pools.all()) {
      const known = records.estimates(config)
      if (known !== undefined) estimator.restore(known)
      for (const replica of replicas) replica.load_ms = records.swapTimes(config).load_ms
    }
    return clock.every(store_ms, () => void this.write())
  }

  /** Stores what was learned since it was last stored. What cannot be written is told, and tried again the next time. */
  async write(): Promise<void> {
    const { pools, records, events } = this.parts
    const stored = pools.all().map(async (pool) => {
      await this.writeLoad(pool)
      const { stored } = pool.estimator
      if (stored === undefined || this.written.get(pool) === stored.seen) return
      await records.setEstimates(pool.config, stored)
      this.written.set(pool, stored.seen)
    })
    for (const result of await Promise.allSettled(stored))
      if (result.status === 'rejected')
        events.emit({
          type: 'notice',
          level: 'warn',
          event: 'storage',
          message: 'What was learned of a pool could not be stored.',
          fields: { err: result.reason as unknown },
        })
  }

  /** A group learns it of its own pools. */
  private async writeLoad({ config, replicas, seat }: Pool): Promise<void> {
    const { records } = this.parts
    const load_ms = Math.max(...replicas.map(({ load_ms = -1 }) => load_ms))
    if (seat === undefined && load_ms >= 0 && records.swapTimes(config).load_ms !== load_ms)
      await records.setSwapTimes(config, { ...records.swapTimes(config), load_ms })
  }
}
