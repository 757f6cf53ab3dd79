import type { Principal } from '../../domain/principal.ts'
import { taskKeyOf } from '../../domain/task.ts'
import type { LiveTask } from './live-task.ts'

/** All live tasks, by id and by owner. */
export class LiveTasks {
  private readonly tasks = new Map<string, LiveTask>()
  private readonly owned = new Map<string, Set<LiveTask>>()

  get size(): number {
    return this.tasks.size
  }

  get(id: string): LiveTask | undefined {
    return this.tasks.get(id)
  }

  add(task: LiveTask): void {
    this.tasks.set(task.id, task)
    const own = this.owned.get(task.owner)
    if (own === undefined) this.owned.set(task.owner, new Set([task]))
    else own.add(task)
  }

  delete(task: LiveTask): void {
    this.tasks.delete(task.id)
    const own = this.owned.get(task.owner)
    own?.delete(task)
    if (own?.size === 0) this.owned.delete(task.owner)
  }

  /** Tasks of an owner that wait, or are about to. */
  waiting(owner: string): number {
    let count = 0
    for (const { phase } of this.owned.get(owner) ?? []) if (phase === 'queued' || phase === 'tentative') count++
    return count
  }

  /** In order of acceptance; one owner's or everybody's. */
  all(owner?: string): Iterable<LiveTask> {
    return owner === undefined ? this.tasks.values() : (this.owned.get(owner) ?? [])
  }

  /** Tasks of an id: an owner's, or everybody's that have one. O(owners) */
  named(task_id: string, owner?: string): LiveTask[] {
    const owners = owner === undefined ? [...this.owned.keys()] : [owner]
    return owners.flatMap((name) => this.tasks.get(taskKeyOf(name, task_id)) ?? [])
  }

  /** The principal's task; one that is not durable yet does not exist yet. */
  find({ name }: Principal, task_id: string): LiveTask | undefined {
    const own = this.tasks.get(taskKeyOf(name, task_id))
    return own?.phase === 'tentative' ? undefined : own
  }
}
