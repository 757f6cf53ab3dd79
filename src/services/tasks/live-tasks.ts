import type { Principal } from '../../domain/principal.ts'
import type { LiveTask } from './live-task.ts'

/** All live tasks, by owner and id. A long queue is here: what names a task twice would be a text of its own for each. */
export class LiveTasks {
  private readonly owners = new Map<string, Map<string, LiveTask>>()
  private count = 0
  /** When the newest interactive task was accepted, by the daemon's clock; -Infinity where there was none. */
  interactive_at = -Infinity

  get size(): number {
    return this.count
  }

  /** @param id of the task, its owner's included, @see taskKeyOf */
  get(id: string): LiveTask | undefined {
    const end = id.indexOf('/')
    return this.of(id.slice(0, end), id.slice(end + 1))
  }

  of(owner: string, task_id: string): LiveTask | undefined {
    return this.owners.get(owner)?.get(task_id)
  }

  add(task: LiveTask): void {
    const { owner, task_id } = task.head
    let own = this.owners.get(owner)
    if (own === undefined) this.owners.set(owner, (own = new Map<string, LiveTask>()))
    const before = own.size
    own.set(task_id, task)
    this.count += own.size - before
    if (task.priority === 'interactive') this.interactive_at = Math.max(this.interactive_at, task.accepted_on)
  }

  delete({ head: { owner, task_id } }: LiveTask): void {
    const own = this.owners.get(owner)
    if (own?.delete(task_id) !== true) return
    this.count--
    if (own.size === 0) this.owners.delete(owner)
  }

  /** Tasks of an owner that wait, or are about to. */
  waiting(owner: string): number {
    let count = 0
    for (const { phase } of this.all(owner)) if (phase === 'queued' || phase === 'tentative') count++
    return count
  }

  /** One owner's in order of acceptance, or everybody's, one owner after the other. */
  all(owner?: string): Iterable<LiveTask> {
    return owner === undefined ? this.everybodys() : (this.owners.get(owner)?.values() ?? [])
  }

  /** Tasks of an id: an owner's, or everybody's that have one. O(owners) */
  named(task_id: string, owner?: string): LiveTask[] {
    const owners = owner === undefined ? [...this.owners.keys()] : [owner]
    return owners.flatMap((name) => this.of(name, task_id) ?? [])
  }

  /** The principal's task; one that is not durable yet does not exist yet. */
  find({ name }: Principal, task_id: string): LiveTask | undefined {
    const own = this.of(name, task_id)
    return own?.phase === 'tentative' ? undefined : own
  }

  private *everybodys(): Iterable<LiveTask> {
    for (const own of this.owners.values()) yield* own.values()
  }
}
