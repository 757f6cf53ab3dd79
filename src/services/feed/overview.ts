import { Board } from '../../domain/feed/board.ts'
import { window_ms } from '../../domain/feed/key-use.ts'
import { Newest } from '../../domain/feed/newest.ts'
import type { DaemonEvent, TaskEnded } from '../../domain/daemon-events.ts'
import type { DeviceSeen } from '../../domain/placement/device-events.ts'
import { taskKeyOf } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { endedTold, type EndedTask } from './ended-told.ts'
import { Census, type Tally } from './census.ts'
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
  type Told,
} from './wire.ts'

/** Most tasks that have ended and are told of. */
const most_ended = 256
/** Most samples that a viewer catches up on. */
const most_sampled = 64
/** Every so many seconds all tasks are counted, and what a restart would do is worked out; so many of them at a time. */
const seconds_of_all = 3
const most_counted = 1000
/** Most keys that are told of. */
const most_keys = 1000

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
  private readonly census = new Census()
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

  /** Nobody has looked for a while: all tasks are counted at once. */
  wake(now: number): void {
    this.seconds = 0
    this.count(now, true, Infinity)
  }

  /** All tasks, as they were counted last. */
  get tally(): Tally {
    return this.census.tally
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
    return row.tell(this.now, (moment) => this.parts.clock.wallOf(moment))
  }

  samples(pools: readonly string[]): FeedSamples {
    return this.lasting.ledger.samples(pools)
  }

  /** What is told of the daemon, worked out once a second. */
  daemon(owner: string | undefined): ToldThing<FeedDaemon> {
    const known = this.daemons.get(owner)
    if (known !== undefined) return known
    const { keys } = this.tally
    const counted = owner === undefined ? [...keys.values()] : [keys.get(owner) ?? nothing]
    const daemon = this.parts.daemonOf(
      counted.flatMap(({ begun }) => begun),
      counted.reduce((sum, { untouched }) => sum + untouched, 0),
    )
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
    const h = this.rows.find(taskKeyOf(owner, task_id))?.h ?? this.lasting.nextHandle()
    this.ended.add({ ...event, h }, this.tick + 1)
  }

  /** Tasks that have ended after a tick. */
  endedSince(tick: number, owner: string | undefined): FeedEnded[] {
    const events = this.ended.since(tick)
    return events.filter(({ task }) => owner === undefined || task.owner === owner).map(endedTold)
  }

  /** Counts on, and looks ahead in pools whose turn it is. Returns whether there are any. @param isDue by the place of a pool @param anew after nobody has for a while */
  lookAhead(now: number, isDue: (index: number) => boolean, anew = false): boolean {
    this.count(now, isDue(0))
    const tick = this.tick + 1
    const due = this.parts.pools.all().filter((_, index) => isDue(index))
    this.rows.lookAhead(new Set(due.map(({ id }) => id)), anew, now, tick)
    for (const pool of due) {
      const { tell, signature } = this.toldOf(pool, now)
      this.pool_bytes.set(pool.id, signature.length)
      this.pools.put(pool.id, tell, signature, tick)
    }
    return due.length > 0
  }

  /** What is told once a second of all there is. */
  lookSlowly(now: number, tick: number): void {
    const keys = this.keysNow(now)
    for (const key of keys) this.keys.put(key.key_name, key, JSON.stringify(key), tick)
    const devices = devicesTold(this.lasting.devices(), this.parts.pools.all())
    const told = JSON.stringify(devices)
    this.rest_bytes = keys.length * 160 + told.length
    if (told !== JSON.stringify(this.devices)) [this.devices, this.devicesChanged] = [devices, tick]
  }

  /** Counts some of the tasks that there are. @param slowly a second has gone by */
  private count(now: number, slowly: boolean, most = most_counted): void {
    const { live } = this.parts
    if (slowly && this.seconds++ % seconds_of_all === 0) this.census.begin(live.all(), live.size)
    if (this.census.step(most, now, window_ms)) this.daemons.clear()
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

  private keysNow(now: number): FeedKey[] {
    const used = this.lasting.ledger.used()
    const names = [...new Set([...this.tally.keys.keys(), ...used.keys()])].slice(0, most_keys)
    const uses = names.map((key_name) => {
      const { waiting, running, engine_ms, tokens } = this.tally.keys.get(key_name) ?? nothing
      const past = used.get(key_name)?.sum(now) ?? nothing_used
      const sums = { engine_ms: engine_ms + past.engine_ms, tokens: tokens + past.tokens }
      return { key_name, waiting, running, ...sums, refused: past.refused, late: past.late }
    })
    const all = uses.reduce((sum, { engine_ms }) => sum + engine_ms, 0)
    return uses.map(({ engine_ms, ...use }) => ({ ...use, share: all === 0 ? 0 : Math.round((engine_ms / all) * 100) / 100 }))
  }
}

const nothing = { waiting: 0, running: 0, engine_ms: 0, tokens: 0, untouched: 0, begun: [] }
const nothing_used = { engine_ms: 0, tokens: 0, refused: 0, late: 0 }

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
