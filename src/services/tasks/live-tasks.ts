import { OwnedMap } from '../../domain/owned-map.ts'
import type { Principal } from '../../domain/principal.ts'
import type { LiveTask } from './live-task.ts'

/** All live tasks, by owner and id. */
export class LiveTasks {
  private readonly tasks = new OwnedMap<LiveTask>()
  /** When the newest interactive task was accepted, by the daemon's clock; -Infinity where there was none. */
  interactive_at = -Infinity

  get size(): number {
    return this.tasks.size
  }

  of(owner: string, task_id: string): LiveTask | undefined {
    return this.tasks.get(owner, task_id)
  }

  add(task: LiveTask): void {
    const { owner, task_id } = task.head
    this.tasks.set(owner, task_id, task)
    if (task.priority === 'interactive') this.interactive_at = Math.max(this.interactive_at, task.accepted_on)
  }

  delete(task: LiveTask): void {
    const { owner, task_id } = task.head
    this.tasks.delete(owner, task_id, task)
  }

  /** Tasks of an owner that wait, or are about to. */
  waiting(owner: string): number {
    let count = 0
    for (const { phase } of this.all(owner)) if (phase === 'queued' || phase === 'tentative') count++
    return count
  }

  /** One owner's in order of acceptance, or everybody's, one owner after the other. */
  all(owner?: string): Iterable<LiveTask> {
    return this.tasks.values(owner)
  }

  /** Tasks of an id: an owner's, or everybody's that have one. O(owners) */
  named(task_id: string, owner?: string): LiveTask[] {
    if (owner === undefined) return this.tasks.named(task_id)
    const own = this.of(owner, task_id)
    return own === undefined ? [] : [own]
  }

  /** The principal's task; one that is not durable yet does not exist yet. */
  find({ name }: Principal, task_id: string): LiveTask | undefined {
    const own = this.of(name, task_id)
    return own?.phase === 'tentative' ? undefined : own
  }
}
