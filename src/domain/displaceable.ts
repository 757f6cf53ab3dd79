import { AdmissionChain, type Link } from './admission-chain.ts'
import type { Priority } from './task.ts'

/** A queued task that a newcomer may displace. Only Displaceable writes the links. */
export interface Victim<T> {
  readonly task: { readonly owner: string; readonly priority: Priority }
  /** Order of admission. */
  readonly order: number
  /** Its places among all of its class, and among its owner's. */
  ofClass: Link<T> | undefined
  ofOwner: Link<T> | undefined
}

type Chains<T> = Record<Priority, AdmissionChain<T>>

/** Queued tasks by class, of all and by owner, each in order of admission. */
export class Displaceable<T extends Victim<T>> {
  private readonly oldest: Chains<T> = chains()
  private readonly owned = new Map<string, Chains<T>>()

  /** @param again it was set aside and goes back to its old place */
  add(entry: T, again: boolean): void {
    const { owner, priority } = entry.task
    let own = this.owned.get(owner)
    if (own === undefined) this.owned.set(owner, (own = chains()))
    const how = again ? 'putBack' : 'add'
    entry.ofClass = this.oldest[priority][how](entry, entry.order)
    entry.ofOwner = own[priority][how](entry, entry.order)
  }

  /** Does nothing where it is not in. */
  remove(entry: T): void {
    const { ofClass, ofOwner } = entry
    const { owner, priority } = entry.task
    const own = this.owned.get(owner)
    if (ofClass === undefined || ofOwner === undefined || own === undefined) return
    this.oldest[priority].remove(ofClass)
    own[priority].remove(ofOwner)
    entry.ofClass = entry.ofOwner = undefined
    if (own.interactive.oldest === undefined && own.batch.oldest === undefined) this.owned.delete(owner)
  }

  /** The oldest of the lowest class not above the newcomer's: of its own key first, then of any. */
  leastRecent({ owner, priority }: Victim<T>['task']): T | undefined {
    const of = (all: Chains<T> | undefined): T | undefined => all?.batch.oldest ?? (priority === 'interactive' ? all?.interactive.oldest : undefined)
    return of(this.owned.get(owner)) ?? of(this.oldest)
  }
}

const chains = <T>(): Chains<T> => ({ interactive: new AdmissionChain(), batch: new AdmissionChain() })
