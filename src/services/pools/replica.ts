import { Breaker } from '../../domain/placement/breaker.ts'
import { DomainError } from '../../domain/errors.ts'
import { within, type CancelTimer } from '../../ports/clock.ts'
import { EngineError, type Engine, type EngineProps } from '../../ports/engine.ts'
import type { ReplicaOptions } from './replica-options.ts'

/** Where an engine instance is. @see Replica */
export type ReplicaState = 'starting' | 'ready' | 'down' | 'stopped'

/**
 * One engine instance under supervision of its breaker. Where the engine is gone it is started again; where it only fails its tasks, those
 * that still run go on, and after the pause one task at a time shows whether it is well; where its devices are in trouble, the trouble has
 * to be over first. Where its model is refused it is suspended instead, for trying again would not change that.
 * starting -> ready | down | stopped; ready -> down; down -(pause)-> starting | ready; any -> stopped; stopped -(resume)-> starting.
 */
export class Replica {
  readonly id: string
  readonly devices: readonly number[]
  readonly engine: Engine
  state: ReplicaState = 'starting'
  /** Tasks it runs now. */
  busy = 0
  /** Runs that are over, but not durable yet. */
  unwritten = 0
  /** Free memory of its devices, bytes; undefined where nobody tells. */
  free_vram_bytes: number | undefined
  props: EngineProps | undefined
  restarts = 0
  last_error: string | undefined
  /** While down: when it is tried again, ms since the epoch; undefined where that is not known. */
  restart_at: number | undefined
  /** How long its engine took to come up the last time, ms; undefined until it has. */
  load_ms: number | undefined
  private began_at = 0
  /** Set while one task has the replica for itself, or waits for the others to leave; resolves when they have, or the engine is not up. */
  private solo: PromiseWithResolvers<undefined> | undefined
  readonly breaker: Breaker
  /** A task that shows whether a half-open replica is well is under way. */
  private probing = false
  /** The engine is not there: it has to be started. */
  private gone = true
  /** What is wrong with its devices. */
  private trouble: string | undefined
  private cancelRetry: CancelTimer | undefined
  /** Counts starts, failures and stops: what an earlier one left under way has nothing to say any more. */
  private generation = 0
  private halting: Promise<void> = Promise.resolve()
  private readonly options: ReplicaOptions<Replica>

  constructor(options: ReplicaOptions<Replica>) {
    ;({ id: this.id, devices: this.devices, engine: this.engine } = options)
    this.options = options
    this.breaker = new Breaker(options.clock.now(), options.jitter)
  }

  /** While down: when it is tried again, ms from now. */
  get restart_in_ms(): number | undefined {
    const { state, restart_at, options } = this
    return state === 'down' && restart_at !== undefined ? Math.max(0, Math.ceil(restart_at - options.clock.now())) : undefined
  }

  /** When it is expected to be ready, ms since the epoch; undefined where nobody knows. */
  get ready_at(): number | undefined {
    const { restart_at, load_ms } = this
    if (this.state === 'starting') return load_ms === undefined ? undefined : this.began_at + load_ms
    return restart_at !== undefined && this.gone ? restart_at + (load_ms ?? 0) : restart_at
  }

  /** Tasks it runs at once. */
  get slots(): number {
    return this.options.slots ?? this.props?.slots ?? 1
  }
  get hasFreeSlot(): boolean {
    return (
      this.state === 'ready' && this.busy < this.slots && this.solo === undefined && !(this.probing && this.breaker.state === 'half-open')
    )
  }

  /** Its engine is there, and its breaker trusts it with no task, or with one at a time. */
  get onTrial(): boolean {
    return !this.gone && this.breaker.state !== 'closed'
  }

  /** Starts the engine; resolves when it is ready or has failed for the first time. */
  async start(): Promise<void> {
    const { clock, start_ms, engine } = this.options
    const generation = ++this.generation
    const failed = async (reason: Error): Promise<void> => (generation === this.generation ? this.fail(reason) : undefined)
    this.began_at = clock.now()
    this.become('starting')
    try {
      await this.halting
      if (generation !== this.generation) return
      const onDown = (reason: Error): void => void failed(reason)
      const props = await within(clock, start_ms, engine.start(onDown), 'the engine was not up')
      if (generation !== this.generation) return
      this.options.check?.(props)
      this.props = props
      this.gone = false
      this.restart_at = undefined
      this.load_ms = clock.now() - this.began_at
      this.breaker.succeeded(clock.now())
      if (this.trouble === undefined) this.become('ready')
      else this.goDown(this.trouble, undefined)
    } catch (error) {
      await failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Takes the model out of memory where its engine goes on without it. @throws EngineError where that says that it failed, Error where it takes as long as no start may */
  async unload(): Promise<void> {
    const { clock, start_ms, engine } = this.options
    if (this.state === 'ready') await within(clock, start_ms, Promise.resolve(engine.unload?.()), 'the engine had not unloaded its model')
  }

  /** Takes the replica down (it crashed, or does not confirm an abort) and plans its restart; a DomainError suspends it. */
  async fail(reason: Error): Promise<void> {
    if (this.state === 'stopped' || (this.state === 'down' && this.gone)) return
    if (reason instanceof DomainError) return this.suspend(reason.message)
    const pause_ms = this.breaker.tripped(this.options.clock.now())
    this.gone = true
    const generation = ++this.generation
    this.goDown(reason.message, pause_ms)
    await this.halt().catch((error: unknown) => void (this.last_error = `${reason.message}; not stopped: ${String(error)}`))
    if (generation === this.generation) this.retryAfter(pause_ms)
  }

  /** A task of it has failed; where its breaker opens by that, it takes no more for a while, and those that run go on. */
  failed(task_id: string, cause: unknown): void {
    if (!(cause instanceof EngineError) || !cause.retriable || cause.busy || this.state !== 'ready') return
    const pause_ms = this.breaker.failed(task_id, this.options.clock.now())
    if (pause_ms === undefined) return
    this.goDown(`its tasks failed, the last with: ${cause.message}`, pause_ms)
    this.retryAfter(pause_ms)
  }

  /** A task of it has ended as it should. */
  succeeded(): void {
    if (this.state === 'ready') this.breaker.succeeded(this.options.clock.now())
  }

  /** Its devices cannot be used, or can again (undefined). What runs is left alone: it fails by itself where it has to. */
  setTrouble(reason: string | undefined): void {
    const was = this.trouble
    this.trouble = reason
    if (reason === was || this.state === 'stopped' || this.state === 'starting') return
    if (reason === undefined) {
      if (this.cancelRetry === undefined) this.retry()
    } else if (this.state === 'ready') this.goDown(reason, undefined)
    else {
      this.last_error = reason
      this.become('down')
    }
  }

  /** Stops the engine until `resume`. @param reason said as the last error */
  async suspend(reason: string): Promise<void> {
    this.last_error = reason
    await this.stop()
  }

  /** Starts an engine that is suspended; resolves as `start` does. */
  async resume(): Promise<void> {
    if (this.state !== 'stopped') return
    this.last_error = undefined
    await this.start()
  }

  async stop(): Promise<void> {
    this.cancelRetry?.()
    this.cancelRetry = undefined
    this.restart_at = undefined
    this.gone = true
    this.generation++
    this.become('stopped')
    await this.halt()
  }

  /** A task takes a slot. */
  acquire(): void {
    this.busy++
    this.probing = this.breaker.state === 'half-open'
  }

  /**
   * The task that asks, which has its slot, gets the replica for itself until `share`: nobody else gets a slot, and it resolves when the others
   * have left or the engine is not up any more. Undefined where another task has it.
   */
  alone(): Promise<undefined> | undefined {
    if (this.solo !== undefined) return undefined
    this.solo = Promise.withResolvers()
    this.checkAlone()
    return this.solo.promise
  }

  /** Takes `alone` back; its slot is still taken. */
  share(): void {
    this.solo = undefined
  }

  /** The engine has confirmed that the task's slot is free. */
  release(): void {
    this.busy--
    this.probing = false
    this.checkAlone()
    this.options.onChange(this, 'slot')
  }

  private goDown(reason: string, pause_ms: number | undefined): void {
    this.last_error = reason
    this.restart_at = pause_ms === undefined ? undefined : this.options.clock.now() + pause_ms
    this.become('down')
  }

  private retryAfter(pause_ms: number): void {
    this.cancelRetry?.()
    this.cancelRetry = this.options.clock.after(pause_ms, () => {
      this.cancelRetry = undefined
      this.retry()
    })
  }

  /** Its pause is over. */
  private retry(): void {
    if (this.trouble !== undefined) return
    if (this.gone) {
      this.restarts++
      void this.start()
      return
    }
    this.breaker.tried()
    this.restart_at = undefined
    this.become('ready')
  }

  /** Stops the engine; the next start waits for it. */
  private halt(): Promise<void> {
    return (this.halting = this.options.engine.stop())
  }

  private checkAlone(): void {
    if (this.busy <= 1 || this.state !== 'ready') this.solo?.resolve(undefined)
  }

  private become(state: ReplicaState): void {
    this.state = state
    this.checkAlone()
    this.options.onChange(this, 'state')
  }
}
