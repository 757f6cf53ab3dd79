/** Something that was created, and whose it is. */
export interface Known {
  readonly id: string
  readonly key: string
  /** Ids of the frames seen of a task. */
  readonly frames: Set<string>
  /** The body that created it. */
  readonly payload?: string
}

export type Kind = 'task' | 'session' | 'artifact' | 'pool' | 'model'

/** What earlier requests have left behind. */
export class Memory {
  readonly known: Record<Kind, Known[]> = { task: [], session: [], artifact: [], pool: [], model: [] }
  /** Each with the list and the key that it is good for. */
  readonly cursors: { readonly cursor: string; readonly list: string }[] = []

  /** The thing of this id that this key created. */
  find(kind: Kind, id: string, key: string): Known | undefined {
    return this.known[kind].find((one) => one.id === id && one.key === key)
  }

  add(kind: Kind, id: string, key: string, payload?: string): void {
    if (this.find(kind, id, key) === undefined)
      this.known[kind].push({ id, key, frames: new Set(), ...(payload === undefined ? {} : { payload }) })
  }

  /** Mostly the newer ones: there is more to see of them. */
  pick(kind: Kind, n: number | undefined): Known | undefined {
    const all = this.known[kind]
    return n === undefined ? undefined : all[all.length - 1 - (n % Math.min(all.length, n % 4 === 0 ? all.length : 12))]
  }
}
