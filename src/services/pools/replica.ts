import { restartDelayMs, steadyAfterMs } from '../../domain/backoff.ts'
import { DomainError } from '../../domain/errors.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Engine, EngineProps } from '../../ports/engine.ts'

/** Where an engine instance is. @see Replica */
export type ReplicaState = 'starting' | 'ready' | 'down' | 'stopped'

/** What a replica is made with. */
export interface ReplicaOptions {
  readonly id: string
  readonly slots: number
  readonly devices: readonly number[]
  /** Time the engine has to come up, ms. */
  readonly start_ms: number
  readonly engine: Engine
  readonly clock: Clock
  /** Called after every change of `state`, and when a slot becomes free. */
  readonly onChange: (replica: Replica, change: 'state' | 'slot') => void
}

/**
 * One engine instance under supervision: started again after a failure, with capped exponential backoff. Where its model is refused it
 * is suspended instead, for trying again would not change that.
 * starting -> ready | down | stopped; ready -> down; down -(delay)-> starting; any -> stopped; stopped -(resume)-> starting.
 */
export class Replica {
  readonly id: string
  readonly slots: number
  readonly devices: readonly number[]
  readonly engine: Engine
  state: ReplicaState = 'starting'
  /** Tasks it runs now. */
  busy = 0
  props: EngineProps | undefined
  restarts = 0
  last_error: string | undefined
  /** While down: when it is started again, ms since the epoch. */
  restart_at: number | undefined
  /** Set while one task has the replica for itself, or waits for the others to leave; resolves when they have, or the engine is not up. */
  private solo: PromiseWithResolvers<undefined> | undefined
  private failures = 0
  private ready_at = 0
  private cancelRestart: CancelTimer | undefined
  /** Counts starts, failures and stops: what an earlier one left under way has nothing to say any more. */
  private generation = 0
  private halting: Promise<void> = Promise.resolve()
  private readonly options: ReplicaOptions

  constructor(options: ReplicaOptions) {
    this.id = options.id
    this.slots = options.slots
    this.devices = options.devices
    this.engine = options.engine
    this.options = options
  }

  /** While down: when it is started again, ms from now. */
  get restart_in_ms(): number | undefined {
    if (this.state !== 'down' || this.restart_at === undefined) return undefined
    return Math.max(0, Math.ceil(this.restart_at - this.options.clock.now()))
  }

  get hasFreeSlot(): boolean {
    return this.state === 'ready' && this.busy < this.slots && this.solo === undefined
  }

  /** Starts the engine; resolves when it is ready or has failed for the first time. */
  async start(): Promise<void> {
    const { clock, start_ms, engine } = this.options
    const generation = ++this.generation
    this.become('starting')
    const late = Promise.withResolvers<never>()
    const cancelTimer = clock.after(start_ms, () => {
      late.reject(new Error(`the engine was not up after ${start_ms} ms`))
    })
    try {
      await this.halting
      if (generation !== this.generation) return
      const onDown = (reason: Error): void => void this.failIn(generation, reason)
      const props = await Promise.race([engine.start(onDown), late.promise])
      if (generation !== this.generation) return
      this.props = props
      this.ready_at = clock.now()
      this.restart_at = undefined
      this.become('ready')
    } catch (error) {
      await this.failIn(generation, error instanceof Error ? error : new Error(String(error)))
    } finally {
      cancelTimer()
    }
  }

  /** Takes the replica down (it crashed, or does not confirm an abort) and plans its restart; a DomainError suspends it. */
  async fail(reason: Error): Promise<void> {
    if (this.state === 'stopped' || this.state === 'down') return
    if (reason instanceof DomainError) return this.suspend(reason.message)
    const { clock } = this.options
    const steady = this.state === 'ready' && clock.now() - this.ready_at >= steadyAfterMs
    this.failures = steady ? 1 : this.failures + 1
    this.last_error = reason.message
    const delay = restartDelayMs(this.failures)
    this.restart_at = clock.now() + delay
    const generation = ++this.generation
    this.become('down')
    await this.halt()
    if (generation !== this.generation) return
    this.cancelRestart = clock.after(delay, () => {
      this.restarts++
      void this.start()
    })
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
    this.cancelRestart?.()
    this.restart_at = undefined
    this.generation++
    this.become('stopped')
    await this.halt()
  }

  /** A task takes a slot. */
  acquire(): void {
    this.busy++
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
    this.checkAlone()
    this.options.onChange(this, 'slot')
  }

  private async failIn(generation: number, reason: Error): Promise<void> {
    if (generation === this.generation) await this.fail(reason)
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
