import { pause, untilAborted, type Clock } from '../../ports/clock.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { Drain } from './drain.ts'

/** How often it is looked whether the old model has worked off what it has, ms. */
const look_ms = 100

/** The place of a model on its engines, for another one that cannot be up beside it, or for none. */
export class Room {
  private readonly pool: Pool<LiveTask>
  private readonly reason: string
  private readonly parts: { readonly drain: Drain; readonly clock: Clock }
  private made = false

  /** @param reason why the pool takes no tasks meanwhile */
  constructor(pool: Pool<LiveTask>, reason: string, parts: { readonly drain: Drain; readonly clock: Clock }) {
    this.pool = pool
    this.reason = reason
    this.parts = parts
  }

  /**
   * Takes no new tasks, works off what there is, then unloads the model and stops its engines.
   * @throws Error where tasks are still at work when the signal aborts, or an engine does not unload: it is stopped all the same, for nobody knows what it has
   */
  async make(signal: AbortSignal): Promise<void> {
    const { pool, reason } = this
    // A pool whose model may not be served is emptied and stopped by whoever has said so.
    if (pool.blocked === undefined) {
      pool.blocked = reason
      this.made = true
    }
    this.parts.drain.moveQueued(pool)
    await this.workedOff(signal)
    try {
      await Promise.race([pool.unload(), untilAborted(signal)])
    } finally {
      await pool.suspend(reason)
    }
  }

  /** Brings the old model back; resolves when it serves, or has failed for the first time and is tried again. */
  async giveBack(): Promise<void> {
    const { pool } = this
    if (!this.made || pool.blocked !== this.reason) return
    pool.blocked = undefined
    await pool.resume()
  }

  private async workedOff(signal: AbortSignal): Promise<void> {
    const { pool } = this
    try {
      // What waits for engines that are down does not get done by waiting.
      while (pool.running.size > 0 || (pool.ready && !pool.idle)) await pause(this.parts.clock, look_ms, signal)
    } catch {
      throw new Error('tasks of the old model were still at work at the deadline', { cause: signal.reason })
    }
  }
}
