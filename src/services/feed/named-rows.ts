import type { TaskRow } from './task-row.ts'

/** Rows by owner and id of their tasks: a text that names both would be put together anew for each event. */
export class NamedRows {
  private readonly owners = new Map<string, Map<string, TaskRow>>()

  of(owner: string, task_id: string): TaskRow | undefined {
    return this.owners.get(owner)?.get(task_id)
  }

  /** Takes the place of the one that has its name. */
  add(row: TaskRow): void {
    const { owner, task_id } = row.task.head
    let own = this.owners.get(owner)
    if (own === undefined) this.owners.set(owner, (own = new Map<string, TaskRow>()))
    own.set(task_id, row)
  }

  /** Nothing where another has its name. */
  delete(row: TaskRow): void {
    const { owner, task_id } = row.task.head
    const own = this.owners.get(owner)
    if (own?.get(task_id) !== row) return
    own.delete(task_id)
    if (own.size === 0) this.owners.delete(owner)
  }

  *all(): Iterable<TaskRow> {
    for (const own of this.owners.values()) yield* own.values()
  }
}
