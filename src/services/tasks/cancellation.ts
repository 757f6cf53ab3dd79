import { DomainError, StreamError, untraced } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import { StorageError, type Journal } from '../../ports/journal.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import type { Settlement } from './settlement.ts'

/**
 * Cancels without a race: the end is claimed and the readers silenced in one step, so no token comes after; then the engine call is
 * aborted, the cancel made durable and every reader put on the terminal frame. Only then the caller goes on.
 */
export class Cancellation {
  private readonly live: LiveTasks
  private readonly settlement: Settlement
  private readonly journal: Pick<Journal, 'look'>

  constructor(live: LiveTasks, settlement: Settlement, journal: Pick<Journal, 'look'>) {
    this.live = live
    this.settlement = settlement
    this.journal = journal
  }

  /**
   * Resolves when the task has ended, by this cancel or otherwise.
   * @throws DomainError not_found
   * @throws StorageError the cancel is in force but not durable yet
   */
  async cancel(principal: Principal, task_id: string): Promise<void> {
    for (;;) {
      const task = this.live.find(principal, task_id)
      if (task?.phase === 'queued' || task?.phase === 'running') return this.end(task)
      if (task !== undefined && this.settlement.isUnwritten(task)) throw new StorageError('the end of the task cannot be written')
      if (task !== undefined) await task.ended
      else if ((await this.journal.look(principal.name, task_id)) === undefined) throw new DomainError('not_found', 'No such task.')
      // It may have become durable, or been given back to the queue, in the meantime.
      if (this.live.find(principal, task_id) === undefined) return
    }
  }

  private async end(task: LiveTask): Promise<void> {
    const error = untraced(() => new StreamError('canceled', 'Canceled by the client.'))
    const { pool } = task
    if (task.phase === 'queued') pool.scheduler.remove(task)
    task.claim(true)
    task.abort.abort(error)
    pool.reportDepth()
    await this.settlement.settleInTurn(task, { kind: 'error', error, reason: 'client' })
  }
}
