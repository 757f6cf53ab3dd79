import { firstFrom } from '../ascending.ts'
import { absent, requeued, queued, type ClassQueue } from './class-queue.ts'
import type { Queueable } from './queueable.ts'

type Owned = Queueable & { readonly owner: string }

/** Tickets of one owner's tasks, ascending; those of tasks that are gone are left in until the next sweep. */
interface Own {
  tickets: number[]
  /** None before this index may be displaced now. */
  from: number
}

/**
 * Finds the oldest task of a class that a newcomer may displace: of all, and of one owner. Tasks that leave need not be reported.
 * `add` and `released` are O(1) amortised, or O(log n) where a search had gone past the task; `oldest` is O(1 + those it goes past for the
 * first time since): tasks that are gone, not durable, or set aside for a newcomer.
 */
export class Displaceable<T extends Owned> {
  private readonly queue: ClassQueue<T>
  private readonly owners = new Map<string, Own>()
  /** Tickets in all of `owners`. */
  private kept = 0
  /** None with a ticket before this may be displaced now. */
  private from = -Infinity
  private renumbered = 0

  constructor(queue: ClassQueue<T>) {
    this.queue = queue
  }

  /** The task has just come in at the end of the queue. */
  add(task: T): void {
    if (this.renew()) return
    this.list(task.owner, task.ticket)
    if (this.kept > 2 * this.queue.length + 64) this.sweep()
  }

  /** The task may be displaced, or be so again. */
  released({ owner, ticket }: T): void {
    if (this.renew()) return
    if (ticket < this.from) this.from = ticket
    const own = this.owners.get(owner)
    if (own !== undefined && (own.tickets[own.from - 1] ?? -Infinity) >= ticket) own.from = firstFrom(own.tickets, ticket)
  }

  /** The oldest that may be displaced: of the owner, or of all. */
  oldest(owner?: string): T | undefined {
    this.renew()
    return owner === undefined ? this.oldestOfAll() : this.oldestOf(this.owners.get(owner))
  }

  private oldestOfAll(): T | undefined {
    const { queue } = this
    let ticket = Math.max(this.from, queue.from)
    while (ticket < queue.to && queue.stateAt(ticket) !== queued) ticket++
    this.from = ticket
    return ticket < queue.to ? queue.at(ticket) : undefined
  }

  private oldestOf(own: Own | undefined): T | undefined {
    if (own === undefined) return undefined
    for (; own.from < own.tickets.length; own.from++) {
      const ticket = own.tickets[own.from] ?? -Infinity
      if (this.queue.stateAt(ticket) === queued) return this.queue.at(ticket)
    }
    return undefined
  }

  private list(owner: string, ticket: number): void {
    const own = this.owners.get(owner)
    if (own === undefined) this.owners.set(owner, { tickets: [ticket], from: 0 })
    else own.tickets.push(ticket)
    this.kept++
  }

  /** Forgets those that are gone; so long as this happens when they are the larger part, it costs O(1) a task. */
  private sweep(): void {
    this.kept = 0
    for (const [owner, own] of this.owners) {
      own.tickets = own.tickets.filter((ticket) => this.mayReturn(ticket))
      own.from = 0
      this.kept += own.tickets.length
      if (own.tickets.length === 0) this.owners.delete(owner)
    }
  }

  /** Starts anew where tickets have changed; false where they have not. */
  private renew(): boolean {
    const { queue } = this
    if (this.renumbered === queue.renumbered) return false
    this.renumbered = queue.renumbered
    this.owners.clear()
    this.kept = 0
    this.from = -Infinity
    for (let ticket = queue.from; ticket < queue.to; ticket++) {
      const task = queue.at(ticket)
      if (task !== undefined && this.mayReturn(ticket)) this.list(task.owner, ticket)
    }
    return true
  }

  /** Whether it may be displaced now or later. */
  private mayReturn(ticket: number): boolean {
    const state = this.queue.stateAt(ticket)
    return state !== absent && state !== requeued
  }
}
