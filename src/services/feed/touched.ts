/** Names of tasks to which something has happened, each once: by owner, so that none is put together anew for each event. */
export class Touched {
  /** How many there are. */
  size = 0
  private readonly owners = new Map<string, Set<string>>()

  add(owner: string, task_id: string): void {
    let own = this.owners.get(owner)
    if (own === undefined) this.owners.set(owner, (own = new Set()))
    if (own.has(task_id)) return
    own.add(task_id)
    this.size++
  }

  /** Goes through them and forgets them. */
  take(each: (owner: string, task_id: string) => void): void {
    for (const [owner, ids] of this.owners) for (const task_id of ids) each(owner, task_id)
    this.clear()
  }

  clear(): void {
    this.owners.clear()
    this.size = 0
  }
}
