import type { DaemonEvent, DaemonListener } from '../../domain/daemon-events.ts'
import type { DeviceSeen } from '../../domain/placement/device-events.ts'
import { DomainError } from '../../domain/errors.ts'
import { wishOf, type Wish, type WishQuery } from '../../domain/feed/wish.ts'
import { controls, type Principal } from '../../domain/principal.ts'
import type { CancelTimer } from '../../ports/clock.ts'
import type { Metrics } from '../../ports/telemetry.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { Ledger } from './ledger.ts'
import { Loads } from './loads.ts'
import { flows, matters, Overview, type OverviewParts } from './overview.ts'
import { beat_ms, Pace, type Look } from './pace.ts'
import { View } from './view.ts'
import { Viewer } from './viewer.ts'

/** Beats without a word until a comment. */
const beats_of_silence = 20
/** How long what was last seen is kept for a viewer that comes back, ms. */
const linger_ms = 60_000
/** Viewers, and viewers of one key. */
const most_viewers = 32
const most_of_key = 8
/** When a key that has too many may try again, ms. */
const retry_ms = 5000

/** What the feed works with. */
export interface FeedParts extends OverviewParts {
  readonly pools: Pick<Pools<LiveTask>, 'serving' | 'all' | 'find' | 'get'>
  readonly metrics: Metrics
}

/**
 * What the daemon does, for whoever watches. A row, a pool, a key remembers the tick it changed in, and a viewer is a tick it has; so a slow
 * reader, one that slept and one that comes back are the same, and nothing is kept for any of them. Without a viewer it does nothing but keep
 * the ledger.
 */
export class Feed {
  private readonly parts: FeedParts
  private readonly ledger: Ledger
  private readonly loads = new Loads()
  private readonly handles = new WeakMap<LiveTask, number>()
  private handed = 0
  private devices: readonly DeviceSeen[] = []
  /** Undefined while nobody watches, or watched a moment ago. */
  private overview: Overview | undefined
  private readonly views = new Map<string, View>()
  private readonly viewers = new Set<Viewer>()
  private dirty = true
  /** Why tasks wait may be another reason for all of them. */
  private unclear = true
  private readonly pace = new Pace()
  private cancelBeat: CancelTimer | undefined
  private cancelLinger: CancelTimer = () => undefined
  private cancelSamples: CancelTimer = () => undefined
  private stopped = false

  constructor(parts: FeedParts) {
    this.parts = parts
    this.ledger = new Ledger(parts)
    this.ledger.onSample = (sample) => {
      this.overview?.sampled.add(sample, this.overview.tick + 1)
      this.dirty = true
    }
  }

  /** Gets every event of the daemon. */
  get listener(): DaemonListener {
    return (event) => this.hear(event)
  }

  /** Keeps the last hour from now on. Returns how to stop: then nobody watches any more. */
  start(): CancelTimer {
    this.cancelSamples = this.ledger.start()
    this.tellViewers()
    return () => {
      this.stopped = true
      this.cancelSamples()
      this.cancelLinger()
      for (const viewer of this.viewers) viewer.end()
      this.rest()
    }
  }

  /**
   * Lets a key watch. @param last id of the last frame it has
   * @throws DomainError not_found of a pool; rate_limited where too many watch
   */
  open({ name, roles }: Principal, query: WishQuery, last: string | undefined): Viewer {
    const wish = wishOf(
      query,
      this.parts.pools.all().map(({ id }) => id),
    )
    for (const id of wish.pools) this.parts.pools.get(id)
    this.checkPlace(name)
    const view = this.viewOf(controls({ name, roles }) ? undefined : name, wish)
    const viewer: Viewer = new Viewer(view, name, this.tickIn(view, last), this.pace.beats, {
      tick: () => this.overview?.tick ?? 0,
      sent: (event) => {
        viewer.heard = this.pace.beats
        this.parts.metrics.count('feed_frames_total', { event })
      },
      closed: () => this.leave(viewer),
    })
    if (this.stopped) viewer.end()
    else this.viewers.add(viewer)
    this.tellViewers()
    return viewer
  }

  private hear(event: DaemonEvent): void {
    this.ledger.heard(event)
    if (event.type === 'replica_changed') this.loads.changed(event, this.parts.clock.now())
    if (event.type === 'devices_seen') this.devices = event.devices
    if (this.overview === undefined) return
    if (event.type === 'task_ended') this.overview.heardEnd(event)
    if (!matters(event)) return
    if ('task' in event) this.overview.rows.touched.add(event.task.owner, event.task.task_id)
    this.dirty = true
    this.unclear ||= !flows(event)
  }

  private checkPlace(name: string): void {
    let own = 0
    for (const { key_name } of this.viewers) if (key_name === name) own++
    if (own < most_of_key && this.viewers.size < most_viewers) return
    const most =
      own < most_of_key
        ? `There are ${most_viewers} readers of events, as many as may be`
        : `The key ${name} reads events ${own} times, as often as it may`
    throw new DomainError('rate_limited', `${most}; close one.`, { retry_after_ms: retry_ms, policy_label: 'rate-limit' })
  }

  /** The view of a kind of viewers, with all there is to see in it. */
  private viewOf(owner: string | undefined, wish: Wish): View {
    this.cancelLinger()
    const { handles, ledger, loads } = this
    const lasting = { handles, ledger, loads, devices: () => this.devices, nextHandle: () => ++this.handed }
    const overview = (this.overview ??= new Overview(this.parts, lasting))
    const kind = JSON.stringify([owner ?? null, wish])
    const known = this.views.get(kind)
    const view = known ?? new View(owner, wish, overview)
    this.views.set(kind, view)
    if (this.cancelBeat === undefined && !this.stopped) {
      overview.lookAhead(this.parts.clock.now(), () => true, true)
      this.pass({ slowly: true, progress: true })
      this.cancelBeat = this.parts.clock.every(beat_ms, () => this.beat())
    } else if (known === undefined) {
      this.dirty = true
      this.pass({ slowly: false, progress: false })
    }
    this.forgetViews()
    return view
  }

  private tickIn({ life }: View, last: string | undefined): number | undefined {
    const [of, tick] = last?.split('-') ?? []
    return of === life && Number(tick) <= (this.overview?.tick ?? 0) ? Number(tick) : undefined
  }

  private beat(): void {
    const isDue = this.pace.next()
    if (this.overview?.lookAhead(this.parts.clock.now(), isDue) === true) this.dirty = true
    const look = this.pace.look(this.dirty)
    if (look !== undefined) this.pass(look)
    for (const viewer of this.viewers) if (this.pace.beats - viewer.heard >= beats_of_silence) viewer.comment()
  }

  /** One look; where something is another than before it is the next tick. */
  private pass(look: Look): void {
    const { overview, parts } = this
    if (overview === undefined) return
    const { slowly, progress } = look
    const now = parts.clock.now()
    const tick = overview.tick + 1
    const dirty = this.dirty || slowly
    this.dirty = false
    let other = dirty
    const looking = { slowly, whole: this.unclear }
    this.unclear = false
    this.pace.looks(look, overview.rows.touched.size, overview.rows.running.size)
    if (dirty) overview.rows.look(now, tick, looking.whole)
    if (progress) other = overview.rows.progress(tick) || other
    const views = [...this.views.values()]
    if (dirty) for (const view of views) view.look(now, tick, looking)
    overview.rows.due.clear()
    if (slowly) overview.rows.keep((row) => views.some((view) => view.shows(row)))
    if (!other) return
    overview.turn(tick, now)
    for (const view of views) view.turn()
    for (const viewer of this.viewers) viewer.look()
  }

  private leave(viewer: Viewer): void {
    if (!this.viewers.delete(viewer)) return
    this.tellViewers()
    if (this.viewers.size > 0) return
    this.cancelBeat?.()
    this.cancelBeat = undefined
    if (!this.stopped) this.cancelLinger = this.parts.clock.after(linger_ms, () => this.rest())
  }

  /** Nobody watches, and nobody comes back. */
  private rest(): void {
    this.cancelBeat?.()
    this.cancelBeat = undefined
    this.views.clear()
    this.overview = undefined
  }

  /** Views that nobody has any more are kept for those who come back, as many as there may be viewers. */
  private forgetViews(): void {
    const watched = new Set(Array.from(this.viewers, ({ view }) => view))
    for (const [kind, view] of this.views) {
      if (this.views.size <= most_viewers || watched.has(view)) continue
      this.views.delete(kind)
      view.close()
    }
  }

  private tellViewers(): void {
    this.parts.metrics.gauge('feed_viewers', {}, this.viewers.size)
  }
}
