import type { components as config } from '../../../generated/config.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import type { Clock } from '../../ports/clock.ts'
import { Group } from './group.ts'
import type { PoolRecords } from './pool-records.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'

/** What the groups work with. */
export interface GroupsParts<T extends PoolTask> {
  readonly pools: Pools<T>
  readonly records: PoolRecords
  readonly clock: Clock
  /** 0 to 1, @see Breaker */
  readonly jitter: () => number
  readonly events: EventSink
}

/** The groups of the configuration. */
export class Groups<T extends PoolTask> {
  private readonly groups: readonly Group<T>[]

  constructor(configured: readonly config['schemas']['Group'][], { pools, ...parts }: GroupsParts<T>) {
    this.groups = configured.map((rules) => new Group({ ...parts, id: rules.id, rules, pools: rules.pools.map((id) => pools.get(id)) }))
  }

  /** Loads what is pinned or preloaded, and what has work; resolves when each of it is up or has failed. */
  async start(): Promise<void> {
    await Promise.all(this.groups.map((group) => group.start()))
  }

  /** Empties the place of a pool that shares devices, when its turn comes; undefined where it shares none. @see Group.lend */
  lend(pool: Pool<T>, signal: AbortSignal): Promise<(successor?: Pool<T>) => void> | undefined {
    return this.groups.find((group) => group.has(pool))?.lend(pool, signal)
  }

  /** Nothing is loaded or unloaded from now on. */
  stop(): void {
    for (const group of this.groups) group.stop()
  }
}
