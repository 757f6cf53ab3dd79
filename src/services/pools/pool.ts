import { unavailableRetryMs } from '../../domain/backoff.ts'
import type { EventSink, PoolLabels } from '../../domain/daemon-events.ts'
import { once } from '../../domain/once.ts'
import { Warmth } from '../../domain/placement/warmth.ts'
import { Estimator } from '../../domain/prediction/estimator.ts'
import { after, type Start } from '../../domain/prediction/forecast.ts'
import type { Outlook } from '../../domain/prediction/outlook.ts'
import type { Ahead } from '../../domain/queue/ahead.ts'
import { Scheduler } from '../../domain/queue/scheduler.ts'
import { nameTold } from '../../domain/models/names-of-pools.ts'
import { spanOf, type Span } from '../../domain/runs.ts'
import type { Feature, Priority, Workload } from '../../domain/task.ts'
import type { PoolTask } from './pool-task.ts'
import { replicasOf, type PoolConfig, type ReplicaConfig, type ReplicaParts } from './pool-replicas.ts'
import { PoolTeller } from './pool-teller.ts'
import type { Replica } from './replica.ts'
import type { Seat } from './seat.ts'

export type { PoolConfig, ReplicaConfig }

/** The largest context that the contract knows, tokens. */
const most_ctx = 10_000_000

/** What a pool works with. */
export interface PoolParts extends ReplicaParts {
  readonly events: EventSink
}

/** One model on one engine: a queue, an estimator and the replicas that work it off. */
export class Pool<T extends PoolTask = PoolTask> {
  readonly id: string
  readonly config: PoolConfig
  readonly scheduler: Scheduler<T>
  readonly estimator = new Estimator()
  readonly replicas: readonly Replica[]
  readonly warmth = new Warmth()
  /** Tasks that hold a slot. */
  readonly running = new Set<T>()
  /** Tasks that hold one while their acceptance is on the way to disk. */
  early = 0
  /** Takes no new tasks; what is queued is worked off. */
  draining = false
  /** Why its model may not be served any more; what is there is worked off. */
  blocked: string | undefined
  /** It serves under its id: it is not the pool of a reload that is not done, and not the predecessor of one that is. */
  current = false
  /** Its engines have not been started yet; they are in use; nothing is dispatched any more, for the daemon stops. */
  life: 'new' | 'open' | 'closing' = 'new'
  /** When what is left of it is ended, ms since the epoch; undefined where it does not run empty. */
  ends_at: number | undefined
  /** When its model was brought up last: from when none of its replicas was up, but one starting. Ms since the epoch. */
  loading: Span | undefined
  /** Why the newest reload failed. */
  reload_error: string | undefined
  /** Called when a replica or a slot may take work. */
  onCapacity: () => void = () => undefined
  /** Called when a replica has become ready or has ceased to be. */
  onModel: () => void = () => undefined
  /** Its place in a group, which starts and stops its replicas; undefined where it shares no devices. */
  seat: Seat | undefined
  /** Tells the daemon's listeners of it. */
  readonly teller: PoolTeller
  private readonly parts: PoolParts

  constructor(config: PoolConfig, parts: PoolParts) {
    this.id = config.id
    this.config = config
    this.parts = parts
    this.scheduler = new Scheduler(config.queue)
    this.teller = new PoolTeller(this, parts.events)
    this.replicas = replicasOf(config, parts, (replica, change) => this.changed(replica, change))
  }

  get labels(): PoolLabels {
    return this.teller.labels
  }

  /** What the engine says of itself; undefined until a replica has been up. */
  get props(): Replica['props'] {
    return this.replicas.find(({ props }) => props !== undefined)?.props
  }

  /** What its server calls the model, as a name; undefined where the engine is none, or has not told. */
  get told(): string | undefined {
    return this.props?.model === undefined ? undefined : nameTold(this.props.model)
  }

  get live(): boolean {
    return this.replicas.some(({ state }) => state === 'ready' || state === 'starting')
  }

  get ready(): boolean {
    return this.replicas.some(({ state }) => state === 'ready')
  }

  /** It serves: at once, or when its turn comes. */
  get serves(): boolean {
    return this.ready || (this.seat !== undefined && this.refusal === undefined)
  }

  /** Its queue may go out: it is loaded, or shares no devices. */
  get dispatches(): boolean {
    return this.seat === undefined || this.seat.state === 'loaded'
  }

  /** It drains, or its model may not be served. */
  get closed(): boolean {
    return this.draining || this.blocked !== undefined
  }

  /** Why it cannot take tasks until its model may be served or it is reloaded with another one. */
  get refusal(): string | undefined {
    if (this.seat !== undefined) return this.blocked ?? this.seat.refusal
    const suspended = this.replicas.every(({ state }) => state === 'stopped') ? this.replicas[0]?.last_error : undefined
    return this.blocked ?? suspended
  }

  /** Takes new tasks. */
  get accepting(): boolean {
    return this.serves && !this.closed
  }

  /** Nothing waits and nothing runs. */
  get idle(): boolean {
    return this.running.size === 0 && this.scheduler.depth() === 0
  }

  /** Largest context of a task, tokens; the largest there may be while neither the configuration nor an engine has said it. */
  get ctxMax(): number {
    return Math.min(this.config.ctx ?? most_ctx, this.props?.ctx_max ?? most_ctx)
  }

  get maxTokensOut(): number {
    return Math.min(this.config.max_tokens_out ?? Infinity, Math.max(1, this.ctxMax - 1))
  }

  /** Slots of the replicas that are up. */
  get slots(): number {
    return this.replicas.reduce((sum, replica) => sum + (replica.state === 'ready' ? replica.slots : 0), 0)
  }

  /** Slots of all replicas, up or not. */
  get slotsInAll(): number {
    return this.replicas.reduce((sum, replica) => sum + replica.slots, 0)
  }

  get slotsBusy(): number {
    return this.replicas.reduce((sum, replica) => sum + replica.busy, 0)
  }

  supports(workload: Workload): boolean {
    return this.props?.workloads.includes(workload) ?? true
  }

  /** Whether its engine has a feature; one that was never up may have any. */
  can(feature: Feature): boolean {
    if (feature === 'replayable') return this.props?.replayable ?? true
    return this.props?.features.includes(feature) ?? true
  }

  /** What is expected of its tasks now. */
  get outlook(): Outlook {
    const now = this.parts.clock.now()
    const works = once(() => [...this.running].map((task) => task.workAt(now)))
    return this.estimator.outlook({ size: this.running.size, works }, now)
  }

  /**
   * When a task of this class with this much ahead of it is expected to start.
   * @param left_ms until its deadline, ms; a group loads a pool sooner for it
   */
  predictStart(ahead: Ahead, priority: Priority, left_ms = Infinity, outlook = this.outlook): Start {
    const ready = this.seat === undefined && this.ready
    const start = outlook.predictStart(ahead, priority, ready ? this.slots : this.slotsInAll)
    if (ready) return start
    const deadline_at = this.parts.clock.now() + left_ms
    if (this.seat !== undefined) return after(start, this.seat.loadedIn({ interactive: priority === 'interactive', deadline_at }))
    return { ms: start.ms + this.readyAfterMs, mean: start.mean + this.readyAfterMs, variance: start.variance }
  }

  /** When a place in the queue is expected, ms from now: with the next dispatch. */
  retryAfterMs(outlook?: Outlook): number {
    const { mean } = this.predictStart({ position: 0, work_ms: 0, may_pass: 0 }, 'interactive', Infinity, outlook)
    return Math.max(1, Math.ceil(mean - 1e-6))
  }

  /** When the pool is expected to be ready, ms from now, within the bounds of a 503. */
  get readyAfterMs(): number {
    const now = this.parts.clock.now()
    const soonest = Math.min(...this.replicas.map(({ ready_at = Infinity }) => ready_at))
    return unavailableRetryMs(soonest === Infinity ? 0 : soonest - now)
  }

  /** Tells how much waits; to be called after every change of the queue. */
  reportDepth(): void {
    this.seat?.changed()
    this.teller.depth()
  }

  /** Starts every replica that is not suspended; resolves when each is ready or has failed for the first time. */
  async start(): Promise<void> {
    this.life = 'open'
    await Promise.all(this.replicas.filter(({ state }) => state !== 'stopped').map((replica) => replica.start()))
  }

  /** How a reload brings up another model: beside this one, or in its place once it is worked off. */
  get reloadMode(): 'beside' | 'swap' {
    const configured = 'reload' in this.config ? this.config.reload : undefined
    return configured ?? this.props?.reload ?? 'beside'
  }

  /** Takes its model out of the memory of engines that go on without it. @throws Error where one says that it failed, or does not say */
  async unload(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.unload()))
  }

  /** Stops every replica until `resume`. @param reason said as their last error */
  async suspend(reason: string): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.suspend(reason)))
    this.seat?.changed()
  }

  /** Starts the replicas that are suspended; in a group when its turn comes. */
  async resume(): Promise<void> {
    if (this.seat === undefined) await Promise.all(this.replicas.map((replica) => replica.resume()))
    else this.seat.pardon()
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()))
  }

  /** Its queue has other labels from now on, or is another pool's to tell of. */
  forgetDepth(): void {
    this.teller.queueGone()
  }

  private changed(replica: Replica, change: 'state' | 'slot'): void {
    if (change === 'state') {
      this.loading = spanOf(this.loading, this.live && !this.ready, this.parts.clock.now())
      if (replica.state === 'starting') this.warmth.lost(replica.id)
      this.teller.replicaChanged(replica)
      this.estimator.probed(replica.props?.probe)
      this.onModel()
      if (replica.state === 'ready') this.reportDepth()
    }
    if (replica.hasFreeSlot) this.onCapacity()
    this.seat?.changed()
  }
}
