import { randomBytes } from 'node:crypto'
import { Board } from '../../domain/feed/board.ts'
import { Shown } from '../../domain/feed/shown.ts'
import type { Wish } from '../../domain/feed/wish.ts'
import type { Overview } from './overview.ts'
import { Queues } from './queues.ts'
import type { TaskRow } from './task-row.ts'
import type { FeedChanges, FeedDaemon, FeedSnapshot, Told } from './wire.ts'

/** Most tasks that run and are shown. */
const most_running = 1000
/** A snapshot is no larger, bytes; the least of it that is for rows, and what is for all that has no size of its own. */
const most_bytes = 512 * 1024
const least_for_rows = 64 * 1024
const for_frame = 4096

/** Part of the room for rows that those may take that wait. */
const share_of_waiting = 0.7

/** How far is looked: at what is told once a second; at all tasks that run, and not only at those that have come and gone. */
export interface Looking {
  readonly slowly: boolean
  readonly whole: boolean
}

/** What viewers of one kind see: their key where it sees only its own, and their wish. Frames are encoded once for all of them. */
export class View {
  /** In the ids of its frames: who comes with another one begins anew. */
  readonly life = randomBytes(8).toString('hex')
  /** The key whose tasks alone are seen; undefined where all are. */
  readonly owner: string | undefined
  readonly wish: Wish
  private readonly overview: Overview
  private readonly rows = new Shown<TaskRow>()
  private readonly queues: Queues
  private readonly total = new Board<number>()
  private readonly daemon = new Board<Told<FeedDaemon>>()
  private fresh = true
  /** Rows that are shown because they run. */
  private readonly running = new Set<TaskRow>()
  /** Tasks that run, shown or not. */
  private count = 0
  /** What is left of a snapshot, bytes. */
  private room = 0
  /** Frames of the newest tick, by the tick that their viewers have. */
  private readonly frames = new Map<number, string | undefined>()
  /** What its snapshots have beside the name of the key. */
  private whole: string | undefined

  constructor(owner: string | undefined, wish: Wish, overview: Overview) {
    ;[this.owner, this.wish, this.overview] = [owner, wish, overview]
    this.queues = new Queues(owner, wish, overview)
  }

  /** Looks what there is to see now. */
  look(now: number, tick: number, { slowly, whole }: Looking): void {
    const { overview } = this
    const first = this.fresh
    this.fresh = false
    const { came, left } = this.queues.look(now, tick, {
      due: (id) => first || overview.rows.due.has(id),
      slowly: slowly || first,
      bytes: this.roomForRows * share_of_waiting,
    })
    const { running, joined, dropped } = overview.rows
    const { shown } = this.queues
    for (const row of came) this.rows.show(row, tick)
    if (whole || first || (slowly && !this.fits())) this.fit(running, tick)
    else {
      for (const row of dropped) this.remove(row, tick)
      for (const row of joined) if (this.sees(row)) this.add(row, tick)
    }
    // One that has waited and runs now stays.
    for (const row of left) if (!shown.has(row) && !this.running.has(row)) this.hide(row, tick)
    this.total.put('running', this.count, String(this.count), tick)
    if (slowly || first) this.lookAtDaemon(tick)
  }

  /** What rows may take of a snapshot, bytes. */
  private get roomForRows(): number {
    return Math.max(most_bytes - this.overview.bytes(this.wish.pools.length) - for_frame, least_for_rows)
  }

  private sees({ task }: TaskRow): boolean {
    return this.owner === undefined || task.owner === this.owner
  }

  /** Whether all that run are shown and there is room for them, now that pools and those that wait may take more or less. */
  private fits(): boolean {
    let room = this.roomForRows
    for (const { bytes } of this.queues.shown) room -= bytes
    for (const { bytes } of this.running) room -= bytes
    this.room = room
    return room >= 0 && this.count === this.running.size
  }

  /** Shows as many of those that run as there is room for. */
  private fit(all: ReadonlySet<TaskRow>, tick: number): void {
    this.room = this.roomForRows
    for (const { bytes } of this.queues.shown) this.room -= bytes
    const before = new Set(this.running)
    this.running.clear()
    this.count = 0
    for (const row of all) {
      if (!this.sees(row)) continue
      this.add(row, tick)
      if (this.running.has(row)) before.delete(row)
    }
    for (const row of before) if (!this.queues.shown.has(row)) this.hide(row, tick)
  }

  private add(row: TaskRow, tick: number): void {
    this.count++
    if (this.running.size >= most_running || row.bytes > this.room) return
    this.room -= row.bytes
    this.running.add(row)
    this.rows.show(row, tick)
  }

  private remove(row: TaskRow, tick: number): void {
    if (this.sees(row)) this.count--
    if (!this.running.delete(row)) return
    this.room += row.bytes
    if (!this.queues.shown.has(row)) this.hide(row, tick)
  }

  private hide(row: TaskRow, tick: number): void {
    this.rows.hide(row, tick)
    this.overview.rows.loose.add(row)
  }

  shows(row: TaskRow): boolean {
    return this.rows.has(row)
  }

  /** Nobody is shown anything any more. */
  close(): void {
    for (const row of this.rows.all()) this.overview.rows.loose.add(row)
  }

  /** Something has changed: frames are made anew. */
  turn(): void {
    this.frames.clear()
    this.whole = undefined
  }

  /** What a viewer gets that has everything up to a tick, nothing where that is all; undefined where it has to begin anew. */
  after(since: number): string | undefined {
    if (!this.frames.has(since)) this.frames.set(since, this.encode(since))
    return this.frames.get(since)
  }

  /** All there is to see. */
  snapshot(key_name: string): string {
    const { at } = this.overview
    const own: Pick<FeedSnapshot, 'at' | 'role' | 'key_name'> = { at, role: this.owner === undefined ? 'control' : 'data', key_name }
    this.whole ??= JSON.stringify(this.all())
    return this.frame('snapshot', `${JSON.stringify(own).slice(0, -1)},${this.whole.slice(1)}`)
  }

  private all(): Omit<FeedSnapshot, 'at' | 'role' | 'key_name'> {
    const { overview, wish, owner } = this
    const { now } = overview
    return {
      daemon: this.daemon.all()[0]?.(now) ?? overview.daemon(owner).tell(now),
      pools: overview.pools.all().map((tell) => tell(now)),
      devices: overview.devices,
      keys: this.keysSince(-1),
      rows: Array.from(this.rows.all(), (row) => overview.tell(row)),
      running_total: this.total.all()[0] ?? 0,
      order: this.queues.orders.all().map((tell) => tell(now)),
      samples: overview.samples(wish.pools),
    }
  }

  private encode(since: number): string | undefined {
    const { overview } = this
    const { now, at } = overview
    const { changes: changed } = overview.rows
    const rows = this.rows.since(since, changed.reaches(since) ? changed.since(since) : undefined)
    if (rows === undefined) return undefined
    const sent = new Set([...rows.came, ...rows.changed])
    const progress: number[][] = []
    const predicted: number[][] = []
    for (const pool of overview.rows.since(since, overview.rows.foresight.predicted))
      for (const row of pool)
        if (row.predicted > since && !sent.has(row) && this.queues.shown.has(row)) predicted.push(...row.tellPredicted(now))
    for (const pool of overview.rows.since(since, overview.rows.progressed))
      for (const row of pool) {
        if (row.progressed <= since && row.rated <= since) continue
        if (sent.has(row) || !this.running.has(row)) continue
        progress.push(row.rated > since && row.rate !== undefined ? [row.h, row.tokens, row.rate] : [row.h, row.tokens])
      }
    const [running_total] = this.total.since(since)
    const [daemon] = this.daemon.since(since)
    const changes: FeedChanges = {
      at,
      ...some(
        'rows',
        rows.came.map((row) => overview.tell(row)),
      ),
      ...some(
        'states',
        rows.changed.map((row) => overview.tellState(row)),
      ),
      ...some('gone', rows.gone),
      ...(running_total === undefined ? {} : { running_total }),
      ...some(
        'order',
        this.queues.orders.since(since).map((tell) => tell(now)),
      ),
      ...some('progress', progress),
      ...some('predicted', predicted),
      ...some(
        'pools',
        overview.pools.since(since).map((tell) => tell(now)),
      ),
      ...(overview.devicesChanged > since ? { devices: overview.devices } : {}),
      ...some('keys', this.keysSince(since)),
      ...some('ended', overview.endedSince(since, this.owner)),
      ...(daemon === undefined ? {} : { daemon: daemon(now) }),
    }
    const samples = overview.sampled.since(since)
    if (Object.keys(changes).length === 1 && samples.length === 0) return ''
    const points = samples.map(({ at: taken, points: all }) => ({
      at: taken,
      points: all.filter(({ pool_id }) => this.wish.pools.includes(pool_id)),
    }))
    return (
      points.map((data) => `event: sample\ndata: ${JSON.stringify(data)}\n\n`).join('') + this.frame('changes', JSON.stringify(changes))
    )
  }

  private frame(event: 'snapshot' | 'changes', data: string): string {
    return `id: ${this.life}-${this.overview.tick}\nevent: ${event}\ndata: ${data}\n\n`
  }

  private keysSince(since: number) {
    return this.overview.keys.since(since).filter(({ key_name }) => this.owner === undefined || key_name === this.owner)
  }

  private lookAtDaemon(tick: number): void {
    const { tell, signature } = this.overview.daemon(this.owner)
    this.daemon.put('daemon', tell, signature, tick)
  }
}

/** A list where there is something in it. */
const some = <Name extends string, T>(name: Name, list: T[]): { [K in Name]?: T[] } =>
  (list.length === 0 ? {} : { [name]: list }) as { [K in Name]?: T[] }
