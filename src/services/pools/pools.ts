import { DomainError } from '../../domain/errors.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { ModelNames } from '../../domain/models/model-names.ts'
import type { NamedModel } from '../../domain/models/named-model.ts'
import { namesOfPools } from '../../domain/models/names-of-pools.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'

/**
 * All pools, in the order of the configuration. A pool that was reloaded with another model goes on beside its successor, out of sight,
 * until its tasks are done.
 */
export class Pools<T extends PoolTask = PoolTask> {
  private readonly pools: Map<string, Pool<T>>
  private readonly retiring = new Set<Pool<T>>()
  private readonly events: EventSink
  private readonly configured: ModelNames | undefined
  private answering: ModelNames | undefined
  /** Called when a pool's replica or slot may take work. */
  onCapacity: (pool: Pool<T>) => void = () => undefined
  /** Called when the server of a pool has come up with a model of another name, before anything is dispatched to it. */
  onOtherModel: (pool: Pool<T>) => void = () => undefined
  /** Called when the engines of a pool have failed and none is up or coming up any more; again after each try to bring one up. */
  onDown: (pool: Pool<T>) => void = () => undefined

  /** @param models names of the configuration; where there is none the pools have names by themselves */
  constructor(pools: readonly Pool<T>[], events: EventSink, models: readonly NamedModel[] = []) {
    this.events = events
    this.configured = models.length === 0 ? undefined : new ModelNames(models)
    this.pools = new Map(pools.map((pool) => [pool.id, pool]))
    for (const pool of pools) this.adopt(pool)
  }

  /** The names that tasks may ask for: another object whenever they may have changed. */
  get names(): ModelNames {
    if (this.configured !== undefined) return this.configured
    this.answering ??= namesOfPools(this.all().map(({ id, config, told }) => ({ id, model: config.model, told })))
    return this.answering
  }

  all(): readonly Pool<T>[] {
    return [...this.pools.values()]
  }

  /** Those that have tasks to work off: all, and the predecessors of reloaded ones. */
  serving(): readonly Pool<T>[] {
    return [...this.pools.values(), ...this.retiring]
  }

  find(id: string): Pool<T> | undefined {
    return this.pools.get(id)
  }

  /** @throws DomainError not_found */
  get(id: string): Pool<T> {
    const pool = this.pools.get(id)
    if (pool === undefined) throw new DomainError('not_found', 'No such pool.')
    return pool
  }

  /** Starts every replica outside of groups; resolves when each is ready or has failed for the first time. */
  async start(): Promise<void> {
    await Promise.all(this.all().flatMap((pool) => (pool.seat === undefined ? [pool.start()] : [])))
  }

  async stop(): Promise<void> {
    await Promise.all(this.serving().map((pool) => pool.stop()))
  }

  /** Puts a pool in the place of the one with its id, which goes on until its tasks are done. */
  replace(successor: Pool<T>): void {
    const old = this.get(successor.id)
    old.forgetDepth()
    old.current = false
    this.adopt(successor)
    this.pools.set(successor.id, successor)
    this.retiring.add(old)
    this.reportModels()
    successor.reportDepth()
    this.onCapacity(successor)
  }

  /** Stops predecessors that have nothing left to do; they count as serving until they are gone. */
  async stopIdle(): Promise<void> {
    const idle = [...this.retiring].filter((pool) => pool.idle)
    await Promise.all(
      idle.map(async (pool) => {
        await this.release(pool)
        this.retiring.delete(pool)
      }),
    )
  }

  /** Stops a pool that serves no more; its model is unloaded where no other pool serves it on an engine of that kind. */
  async release(pool: Pool<T>): Promise<void> {
    const { engine, model } = pool.config
    const shared = this.all().some(({ config }) => config.engine === engine && config.model === model)
    try {
      if (!shared) await pool.unload()
    } catch (err) {
      const fields = { err, pool_id: pool.id, model_ref: model }
      const message = `Model ${model} of pool ${pool.id} could not be unloaded.`
      this.events.emit({ type: 'notice', level: 'warn', event: 'reload', message, fields })
    }
    await pool.stop()
  }

  private adopt(pool: Pool<T>): void {
    pool.current = true
    pool.onCapacity = () => {
      this.onCapacity(pool)
    }
    let { told } = pool
    pool.onModel = () => {
      this.reportModels()
      const before = told
      told = pool.told
      if (told !== before) this.onOtherModel(pool)
      if (pool.life === 'open' && hasFailed(pool)) this.onDown(pool)
    }
  }

  /** A model is loaded where any replica has it, whichever pool that is in. Pools may answer to other names then. */
  private reportModels(): void {
    this.answering = undefined
    const loaded = new Map<string, boolean>()
    for (const { config, ready } of this.serving()) loaded.set(config.model, loaded.get(config.model) === true || ready)
    this.events.emit({ type: 'models_loaded', loaded })
  }
}

/** None of its engines is up or coming up. One of a group that sleeps has not failed by that. */
const hasFailed = ({ live, seat, refusal, replicas }: Pool): boolean =>
  !live && (seat === undefined || refusal !== undefined || replicas.some(({ state }) => state === 'down'))
