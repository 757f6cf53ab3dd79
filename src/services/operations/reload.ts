import { DomainError } from '../../domain/errors.ts'
import { untilAborted, type Clock } from '../../ports/clock.ts'
import type { GenerateRequest } from '../../ports/engine.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Drain } from './drain.ts'
import type { Groups } from '../pools/groups.ts'
import type { PoolRecords } from '../pools/pool-records.ts'
import type { Pool, PoolConfig } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { Room } from './room.ts'

/** What reloads work with. */
export interface ReloadParts {
  readonly pools: Pools<LiveTask>
  readonly drain: Drain
  readonly records: PoolRecords
  readonly groups: Groups<LiveTask>
  /** Builds a pool that is not started. @throws DomainError where the model reference cannot be used */
  readonly makePool: (config: PoolConfig) => Pool<LiveTask>
  readonly models: Pick<Catalog, 'checkServable'>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Puts another model on a pool without breaking a stream: the new model is loaded beside the old one and proven with a one-token decode;
 * only then new tasks go to it. Tasks of the old model are worked off by the old engines, which are stopped when they are done. Where both
 * cannot be up at once, the old model is worked off and unloaded first. In a group the pool waits for its turn first.
 * Where anything fails before the flip, the old model serves on.
 */
export class Reload {
  private readonly parts: ReloadParts
  private readonly underWay = new Map<string, { readonly limit: AbortController; readonly flipped: Promise<Pool<LiveTask>> }>()
  private stopped = false

  constructor(parts: ReloadParts) {
    this.parts = parts
  }

  /**
   * Resolves when the new model serves.
   * @param deadline_ms by then, ms from now, the new model serves or the old one is as before
   * @throws DomainError not_found, invalid_params for the reference, conflict where a reload runs or the new model does not come up,
   * model_deprecated where it is retired
   */
  async reload(pool_id: string, model_ref: string, deadline_ms: number): Promise<Pool<LiveTask>> {
    const old = this.parts.pools.get(pool_id)
    if (this.stopped) throw stopping(pool_id)
    if (this.underWay.has(pool_id)) throw new DomainError('conflict', `A reload of pool ${pool_id} is running.`, { pool_id })
    const limit = new AbortController()
    const flipped = this.replace(old, model_ref, deadline_ms, limit)
    this.underWay.set(pool_id, { limit, flipped })
    try {
      return await flipped
    } finally {
      this.underWay.delete(pool_id)
    }
  }

  /** Gives up what is under way; resolves when no engine is left that the pools do not know of. */
  async stop(): Promise<void> {
    this.stopped = true
    const all = [...this.underWay.values()]
    for (const { limit } of all) limit.abort(new Error('the daemon is stopping'))
    await Promise.allSettled(all.map(({ flipped }) => flipped))
  }

  private async replace(old: Pool<LiveTask>, model_ref: string, deadline_ms: number, limit: AbortController): Promise<Pool<LiveTask>> {
    const successor = this.parts.makePool({ ...old.config, model: model_ref })
    const cancel = this.parts.clock.after(deadline_ms, () => limit.abort(new Error(`it was not up after ${deadline_ms} ms`)))
    const room = new Room(old, `Pool ${old.id} is being reloaded with ${model_ref}.`, this.parts)
    let giveBack: GiveBack | undefined
    let swapped = false
    try {
      this.parts.models.checkServable(successor.config.model)
      giveBack = await this.parts.groups.lend(old, limit.signal)
      swapped = giveBack !== undefined || old.reloadMode === 'swap'
      if (swapped && giveBack === undefined) await room.make(limit.signal)
      await this.prove(successor, old, limit.signal)
    } catch (cause) {
      await this.parts.pools.release(successor)
      giveBack?.()
      if (!this.stopped) await room.giveBack()
      throw this.failure(old, model_ref, cause)
    } finally {
      cancel()
    }
    // Where the old model is not there any more, what waits for it moves or ends at once.
    this.flip(old, successor, swapped ? 0 : deadline_ms)
    giveBack?.(successor)
    return successor
  }

  /** @throws whatever shows that the new model does not serve */
  private async prove(successor: Pool<LiveTask>, old: Pool<LiveTask>, signal: AbortSignal): Promise<void> {
    const { models, records } = this.parts
    const late = untilAborted(signal)
    const { model } = successor.config
    await Promise.race([late, successor.start()])
    for (const replica of successor.replicas) {
      if (replica.state !== 'ready') throw new Error(replica.last_error ?? `replica ${replica.id} is ${replica.state}`)
      if (replica.props?.workloads.includes('completion') !== true) continue
      await Promise.race([late, replica.engine.generate(oneToken, () => undefined, signal)])
    }
    await records.setModel(old.id, model)
    try {
      // From here on a restart comes up with the new model. It may have been retired or deleted meanwhile.
      models.checkServable(model)
    } catch (error) {
      await records.setModel(old.id, old.config.model)
      throw error
    }
  }

  private failure(old: Pool<LiveTask>, model: string, cause: unknown): DomainError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    old.reload_error = `reload to ${model} failed: ${reason}`
    this.parts.events.emit({ type: 'reload_failed', pool_id: old.id, model_ref: model, cause })
    if (this.stopped) return stopping(old.id)
    const kind = cause instanceof DomainError && cause.kind === 'model_deprecated' ? 'model_deprecated' : 'conflict'
    const { engine } = old.config
    return new DomainError(kind, `The new model did not come up (${reason}); the old one serves on.`, { pool_id: old.id, engine })
  }

  private flip(old: Pool<LiveTask>, successor: Pool<LiveTask>, deadline_ms: number): void {
    successor.draining = old.draining
    this.parts.pools.replace(successor)
    this.parts.drain.handOver(old, successor, deadline_ms)
    const model_ref = successor.config.model
    this.parts.events.emit({ type: 'pool_reloaded', pool_id: old.id, model_ref, was: old.config.model })
  }
}

/** The proof of a model: it decodes. */
const oneToken: GenerateRequest = {
  prompt: { text: 'a' },
  max_tokens: 1,
  seed: 0,
  sampling: { temperature: 0 },
  chat: {},
  kv: 'cold',
  session: '',
}

/** Gives the place of a pool in its group back, to it or to its successor. */
type GiveBack = (successor?: Pool<LiveTask>) => void

const stopping = (pool_id: string): DomainError => new DomainError('pool_unready', 'The daemon is stopping.', { pool_id })
