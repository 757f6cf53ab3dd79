import type { components as config } from '../../../generated/config.ts'
import type { components } from '../../../generated/api.ts'
import { unavailableRetryMs } from '../../domain/backoff.ts'
import { Estimator } from '../../domain/prediction/estimator.ts'
import type { Start } from '../../domain/prediction/forecast.ts'
import { Scheduler, type Ahead } from '../../domain/queue/scheduler.ts'
import type { Priority, Workload } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Engine } from '../../ports/engine.ts'
import type { Log, Metrics } from '../../ports/telemetry.ts'
import { workAt, type LiveTask } from '../tasks/live-tasks.ts'
import type { PoolLabels } from './pool-labels.ts'
import { logReplica } from './replica-log.ts'
import { Replica } from './replica.ts'
import type { TaskPool } from './task-pool.ts'

export type PoolConfig = config['schemas']['Pool']
export type PoolHealth = components['schemas']['PoolHealth']
export type PoolSummary = components['schemas']['PoolSummary']
export type EngineCapability = components['schemas']['EngineCapability']

const priorities: readonly Priority[] = ['interactive', 'batch']

/** One model on one engine: a queue, an estimator and the replicas that work it off. */
export class Pool implements TaskPool {
  readonly id: string
  readonly config: PoolConfig
  readonly scheduler: Scheduler<LiveTask>
  readonly estimator = new Estimator()
  readonly replicas: readonly Replica[]
  /** Tasks that hold a slot. */
  readonly running = new Set<LiveTask>()
  /** Takes no new tasks; what is queued is worked off. */
  draining = false
  /** Why its model may not be served any more; what is there is worked off. */
  blocked: string | undefined
  /** It is what the others see under its id: neither a reload that is not done nor the predecessor of one that is. */
  current = false
  /** Why the newest reload failed. */
  reload_error: string | undefined
  /** Called when a replica or a slot may take work. */
  onCapacity: () => void = () => undefined
  /** Called when a replica has become ready or has ceased to be. */
  onModel: () => void = () => undefined
  private currentLabels: PoolLabels
  private readonly clock: Clock
  private readonly metrics: Metrics
  private readonly log: Log

  constructor(pool: PoolConfig, engineOf: (replica: config['schemas']['Replica']) => Engine, clock: Clock, metrics: Metrics, log: Log) {
    this.id = pool.id
    this.config = pool
    this.clock = clock
    this.metrics = metrics
    this.log = log
    this.scheduler = new Scheduler(pool.queue)
    this.currentLabels = { engine: pool.engine, engine_version: 'unknown', pool_id: pool.id }
    this.replicas = pool.replicas.map(
      (replica) =>
        new Replica({
          ...replica,
          start_ms: pool.timeouts.start_ms,
          engine: engineOf(replica),
          clock,
          onChange: (changed, change) => this.changed(changed, change),
        }),
    )
  }

  /** Made anew only when a replica changes: they are used for every task. */
  get labels(): PoolLabels {
    return this.currentLabels
  }

  /** What the engine says of itself; undefined until a replica has been up. */
  get props(): Replica['props'] {
    return this.replicas.find(({ props }) => props !== undefined)?.props
  }

  get live(): boolean {
    return this.replicas.some(({ state }) => state === 'ready' || state === 'starting')
  }

  get ready(): boolean {
    return this.replicas.some(({ state }) => state === 'ready')
  }

  /** It drains, or its model may not be served. */
  get closed(): boolean {
    return this.draining || this.blocked !== undefined
  }

  /** Why it cannot take tasks until its model may be served or it is reloaded with another one. */
  get refusal(): string | undefined {
    const resting = this.replicas.every(({ state }) => state === 'stopped') ? this.replicas[0]?.last_error : undefined
    return this.blocked ?? resting
  }

  /** Takes new tasks. */
  get accepting(): boolean {
    return this.ready && !this.closed
  }

  /** Nothing waits and nothing runs. */
  get idle(): boolean {
    return this.running.size === 0 && this.scheduler.depth() === 0
  }

  get prices(): PoolConfig['prices'] {
    return this.config.prices
  }

  /** Largest context of a task, tokens. */
  get ctxMax(): number {
    return Math.min(this.config.ctx, this.props?.ctx_max ?? Infinity)
  }

  get maxTokensOut(): number {
    return Math.min(this.config.max_tokens_out ?? Infinity, Math.max(1, this.ctxMax - 1))
  }

  /** Slots of the replicas that are up. */
  get slots(): number {
    return this.replicas.reduce((sum, replica) => sum + (replica.state === 'ready' ? replica.slots : 0), 0)
  }

  get slotsBusy(): number {
    return this.replicas.reduce((sum, replica) => sum + replica.busy, 0)
  }

  supports(workload: Workload): boolean {
    return this.props?.workloads.includes(workload) ?? true
  }

  predictStart(ahead: Ahead, priority: Priority): Start {
    const now = this.clock.now()
    const running = Array.from(this.running, (task) => workAt(task, now))
    const start = this.estimator.predictStart(ahead, priority, running, this.slots, now)
    if (this.ready) return start
    const { readyAfterMs: wait } = this
    return { ms: start.ms + wait, mean: start.mean + wait, variance: start.variance }
  }

  /** When a place in the queue is expected, ms from now: with the next dispatch. */
  get retryAfterMs(): number {
    const { mean } = this.predictStart({ position: 0, work_ms: 0, may_pass: 0 }, 'interactive')
    return Math.max(1, Math.ceil(mean - 1e-6))
  }

  /** When the pool is expected to be ready, ms from now, within the bounds of a 503. */
  get readyAfterMs(): number {
    const now = this.clock.now()
    const waits = this.replicas.flatMap(({ restart_at }) => (restart_at === undefined ? [] : [restart_at - now]))
    return unavailableRetryMs(Math.min(...waits, waits.length === 0 ? 1000 : Infinity))
  }

  reportDepth(): void {
    if (!this.current) return
    for (const priority of priorities) this.metrics.gauge('queue_depth', { ...this.labels, priority }, this.scheduler.depth(priority))
  }

  summary(): PoolSummary {
    const { engine, model } = this.config
    const { id, live, accepting, closed, slots, slotsBusy } = this
    return {
      pool_id: id,
      engine,
      model_ref: model,
      live,
      ready: accepting,
      draining: closed,
      slots,
      slots_busy: slotsBusy,
      queue_depth: this.scheduler.depth(),
    }
  }

  health(): PoolHealth {
    const now = this.clock.now()
    const last_error =
      this.refusal ?? this.reload_error ?? this.replicas.findLast((replica) => replica.last_error !== undefined)?.last_error
    return {
      live: this.live,
      ready: this.accepting,
      draining: this.closed,
      metrics: {
        queue_depth: this.scheduler.depth(),
        queued_interactive: this.scheduler.depth('interactive'),
        queued_batch: this.scheduler.depth('batch'),
        slots: this.slots,
        slots_busy: this.slotsBusy,
      },
      ...(last_error === undefined ? {} : { last_error: last_error.slice(0, 2000) }),
      replicas: this.replicas.map((replica) => ({
        replica_id: replica.id,
        state: replica.state,
        slots: replica.slots,
        slots_busy: replica.busy,
        devices: [...replica.devices],
        ...(replica.props === undefined ? {} : { engine_version: replica.props.engine_version }),
        restarts: replica.restarts,
        ...(replica.state === 'down' && replica.restart_at !== undefined
          ? { restart_in_ms: Math.max(0, Math.ceil(replica.restart_at - now)) }
          : {}),
        ...(replica.last_error === undefined ? {} : { last_error: replica.last_error.slice(0, 2000) }),
      })),
    }
  }

  capability(): EngineCapability {
    const { config, props } = this
    return {
      engine: config.engine,
      engine_version: this.labels.engine_version,
      pool_id: this.id,
      model_ref: config.model,
      ...(config.sampler_profile_version === undefined ? {} : { sampler_profile_version: config.sampler_profile_version }),
      ctx_max: this.ctxMax,
      max_tokens_out: this.maxTokensOut,
      slots: config.replicas.reduce((sum, { slots }) => sum + slots, 0),
      supported_workloads: [...(props?.workloads ?? [])],
      rate_limits: { queue_capacity: config.queue.capacity, full_policy: config.queue.full_policy },
      features: [
        ...(props?.replayable === true ? (['replayable'] as const) : []),
        ...(props?.chat_template === true ? (['chat_template'] as const) : []),
        'stop_sequences',
        ...(props?.kv_reuse === true ? (['kv_reuse'] as const) : []),
      ],
    }
  }

  /** Starts every replica that is not suspended; resolves when each is ready or has failed for the first time. */
  async start(): Promise<void> {
    await Promise.all(this.replicas.filter(({ state }) => state !== 'stopped').map((replica) => replica.start()))
  }

  /** Stops every replica until `resume`. @param reason said as their last error */
  async suspend(reason: string): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.suspend(reason)))
  }

  /** Starts the replicas that are suspended. */
  async resume(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.resume()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()))
  }

  /** Takes the samples of its queue away, which have another label from now on or are somebody else's to report. */
  forgetDepth(): void {
    if (this.current) for (const priority of priorities) this.metrics.forget('queue_depth', { ...this.labels, priority })
  }

  private changed(replica: Replica, change: 'state' | 'slot'): void {
    if (change === 'state') {
      const engine_version = this.props?.engine_version ?? 'unknown'
      if (engine_version !== this.currentLabels.engine_version) this.forgetDepth()
      this.currentLabels = { ...this.currentLabels, engine_version }
      logReplica(this.log, this, replica)
      this.onModel()
      if (replica.state === 'ready') this.reportDepth()
    }
    if (replica.hasFreeSlot) this.onCapacity()
  }
}
