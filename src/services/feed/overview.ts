import { Board } from '../../domain/feed/board.ts'
import { Newest } from '../../domain/feed/newest.ts'
import type { DaemonEvent, TaskEnded } from '../../domain/daemon-events.ts'
import type { DeviceSeen } from '../../domain/placement/device-events.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { endedTold, type EndedTask } from './ended-told.ts'
import { atStake } from './at-stake.ts'
import { countKeys, keysTold } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Loads } from './loads.ts'
import { devicesTold, poolTold, type ToldThing } from './pool-told.ts'
import type { TaskRow } from './task-row.ts'
import { TaskRows } from './task-rows.ts'
import {
  iso,
  type FeedDaemon,
  type FeedDevice,
  type FeedEnded,
  type FeedKey,
  type FeedPool,
  type FeedRow,
  type FeedSample,
  type FeedSamples,
  type FeedState,
  type Told,
} from './wire.ts'

/** Most tasks that have ended and are told of. */
const most_ended = 256
/** Most samples that a viewer catches up on. */
const most_sampled = 64
/** Every so many seconds what a restart would do is worked out. */
const seconds_of_restart = 2

/** The turn in each second of what is not of a pool: the last, which few have so many pools to share with. */
const turn_of_all = 9

/** What the overview is of. */
export interface OverviewParts {
  readonly pools: Pick<Pools<LiveTask>, 'serving' | 'all' | 'find'>
  readonly live: LiveTasks
  readonly clock: Clock
  /** The group of each pool that has one. */
  readonly groups: ReadonlyMap<string, string>
  /** What is told of the daemon beside tasks of which these have begun, and so many wait untouched. */
  readonly daemonOf: (begun: readonly LiveTask[], untouched: number) => FeedDaemon
}

/** What outlives the viewers. */
export interface Lasting {
  readonly ledger: Ledger
  readonly loads: Loads
  readonly devices: () => readonly DeviceSeen[]
  readonly handles: WeakMap<LiveTask, number>
  readonly nextHandle: () => number
}

/** What is the same for all viewers: rows of tasks, pools, devices and keys, each with the tick it changed in. */
export class Overview {
  tick = 0
  /** When the newest tick was, on the daemon's clock, ms, and as it is told. */
  now: number
  at: string
  readonly rows: TaskRows
  readonly pools = new Board<Told<FeedPool>>()
  readonly keys = new Board<FeedKey>()
  devices: FeedDevice[] = []
  devicesChanged = 0
  readonly sampled = new Newest<FeedSample>(most_sampled)
  private readonly ended = new Newest<EndedTask>(most_ended)
  private readonly parts: OverviewParts
  private readonly lasting: Lasting
  private readonly daemons = new Map<string | undefined, ToldThing<FeedDaemon>>()
  private readonly counted = new Map<string, { readonly tokens: number; readonly at: number }>()
  /** What pools and the rest take on the wire, bytes. */
  private readonly pool_bytes = new Map<string, number>()
  private rest_bytes = 0
  private seconds = 0

  constructor(parts: OverviewParts, lasting: Lasting) {
    ;[this.parts, this.lasting] = [parts, lasting]
    this.rows = new TaskRows(parts, lasting.handles, lasting.nextHandle)
    this.now = parts.clock.now()
    this.at = iso(parts.clock.wallOf(this.now))
  }

  /** The next tick. */
  turn(tick: number, now: number): void {
    ;[this.tick, this.now, this.at] = [tick, now, iso(this.parts.clock.wallOf(now))]
  }

  get live(): LiveTasks {
    return this.parts.live
  }

  pool(id: string): Pool<LiveTask> | undefined {
    return this.parts.pools.find(id)
  }

  /** Tasks of an id: a key's own, or all keys' that have one. */
  named(task_id: string, owner: string | undefined): LiveTask[] {
    return this.parts.live.named(task_id, owner)
  }

  tell(row: TaskRow): FeedRow {
    return row.tell(this.now, this.wallOf)
  }

  tellState(row: TaskRow): FeedState {
    return row.tellState(this.now, this.wallOf)
  }

  private readonly wallOf = (moment: number): number => this.parts.clock.wallOf(moment)

  samples(pools: readonly string[]): FeedSamples {
    return this.lasting.ledger.samples(pools)
  }

  /** What is told of the daemon. */
  daemon(owner: string | undefined): ToldThing<FeedDaemon> {
    const known = this.daemons.get(owner)
    if (known !== undefined) return known
    const { begun, kept } = atStake(this.parts.pools.serving(), owner)
    const daemon = this.parts.daemonOf(begun, kept)
    const { lossless_in_ms, ...restart } = daemon.restart
    const over_at = lossless_in_ms === undefined ? undefined : this.parts.clock.now() + lossless_in_ms
    const made = {
      tell: (now: number): FeedDaemon => ({
        ...daemon,
        restart: { ...restart, ...(over_at === undefined ? {} : { lossless_in_ms: Math.max(0, Math.round(over_at - now)) }) },
      }),
      // What is expected shifts a little each time: it is told anew where it has by seconds.
      signature: JSON.stringify([{ ...daemon, restart }, over_at === undefined ? 0 : Math.round(over_at / 5000)]),
    }
    this.daemons.set(owner, made)
    return made
  }

  /** About what a snapshot has beside its rows, bytes. @param pools whose samples it has */
  bytes(pools: number): number {
    let bytes = this.rest_bytes + this.lasting.ledger.bytes(pools)
    for (const one of this.pool_bytes.values()) bytes += one
    return bytes
  }

  /** A task has ended: it is told with the next tick. */
  heardEnd(event: TaskEnded): void {
    const { owner, task_id } = event.task
    const h = this.rows.find(owner, task_id)?.h ?? this.lasting.nextHandle()
    this.ended.add({ ...event, h }, this.tick + 1)
  }

  /** Tasks that have ended after a tick. */
  endedSince(tick: number, owner: string | undefined): FeedEnded[] {
    const events = this.ended.since(tick)
    return events.filter(({ task }) => owner === undefined || task.owner === owner).map(endedTold)
  }

  /**
   * Looks ahead in pools whose turn it is, and at what is told once a second of all there is in a turn of its own. Returns whether it is anybody's turn.
   * @param isDue by the place of a pool
   * @param anew after nobody has for a while
   */
  lookAhead(now: number, isDue: (index: number) => boolean, anew = false): boolean {
    const tick = this.tick + 1
    const due = this.parts.pools.all().filter((_, index) => isDue(index))
    this.rows.lookAhead(
      due.map(({ id }) => id),
      anew,
      now,
      tick,
    )
    for (const pool of due) {
      const { tell, signature } = this.toldOf(pool, now)
      this.pool_bytes.set(pool.id, signature.length)
      this.pools.put(pool.id, tell, signature, tick)
    }
    if (isDue(turn_of_all)) this.lookAtAll(now, tick)
    return due.length > 0 || isDue(turn_of_all)
  }

  private lookAtAll(now: number, tick: number): void {
    if (this.seconds++ % seconds_of_restart === 0) {
      const owners = [...this.daemons.keys()]
      this.daemons.clear()
      for (const owner of owners) this.daemon(owner)
    }
    const keys = keysTold(countKeys(this.parts.pools.serving(), now), this.lasting.ledger.used(), now)
    for (const key of keys) this.keys.put(key.key_name, key, JSON.stringify(key), tick)
    const devices = devicesTold(this.lasting.devices(), this.parts.pools.all())
    const told = JSON.stringify(devices)
    this.rest_bytes = keys.length * 160 + told.length
    if (told !== JSON.stringify(this.devices)) [this.devices, this.devicesChanged] = [devices, tick]
  }

  private toldOf(pool: Pool<LiveTask>, now: number): ToldThing<FeedPool> {
    let tokens = this.lasting.ledger.tokensOf(pool.id)
    for (const task of pool.running) tokens += task.log.partCount
    const before = this.counted.get(pool.id)
    this.counted.set(pool.id, { tokens, at: now })
    const span = before === undefined ? 0 : now - before.at
    const tokens_per_s = before === undefined || span <= 0 ? 0 : Math.max(0, Math.round(((tokens - before.tokens) * 1000) / span))
    const group = this.parts.groups.get(pool.id)
    return poolTold(pool, { loads: this.lasting.loads, group, tokens_per_s, now, wallOf: (at) => this.parts.clock.wallOf(at) })
  }
}

/** Whether an event says that there may be something else to see. */
export const matters = ({ type }: DaemonEvent): boolean => !unseen.has(type)

const unseen: ReadonlySet<DaemonEvent['type']> = new Set([
  'task_placed',
  'task_refused',
  'queue_aged',
  'models_loaded',
  'model_verified',
  'notice',
])

/** Whether it is one of the many that say that tasks come and go, which changes the reasons of those alone that are next. */
export function flows({ type }: DaemonEvent): boolean {
  return (
    type === 'task_queued' || type === 'task_started' || type === 'task_first_part' || type === 'task_ended' || type === 'queue_changed'
  )
}
