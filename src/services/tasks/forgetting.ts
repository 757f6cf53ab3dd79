import type { Principal } from '../../domain/principal.ts'
import type { Journal } from '../../ports/journal.ts'
import type { Cancellation } from './cancellation.ts'

/** Forgets a task before its retention ends. */
export class Forgetting {
  private readonly cancellation: Pick<Cancellation, 'cancel'>
  private readonly journal: Pick<Journal, 'commit' | 'find'>

  constructor(cancellation: Pick<Cancellation, 'cancel'>, journal: Pick<Journal, 'commit' | 'find'>) {
    this.cancellation = cancellation
    this.journal = journal
  }

  /**
   * Ends the principal's own task where it has not ended, then forgets it with its events and its transcript.
   * @throws DomainError not_found
   * @throws StorageError
   */
  async forget({ name: owner }: Principal, task_id: string): Promise<void> {
    await this.cancellation.cancel({ name: owner, roles: ['data'] }, task_id)
    const outcome = (await this.journal.find(owner, task_id))?.outcome
    const artifacts = [outcome?.artifact_id, outcome?.result_artifact_id].filter((id) => id !== undefined)
    await this.journal.commit([{ kind: 'task_forgotten', key: { owner, task_id }, artifacts }])
  }
}
