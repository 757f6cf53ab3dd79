import type { LiveTask } from '../tasks/live-task.ts'

/** Something with a place on a replica. */
export interface Seated {
  readonly task: LiveTask
  slot: number | undefined
}

/** Gives tasks that run a place on their replica, the lowest that is free, which they keep. */
export class Seats<T extends Seated> {
  /** By replica, each in its place. */
  private readonly places = new Map<string, (T | undefined)[]>()
  /** Where each sits. */
  private readonly sits = new Map<T, { readonly pool: LiveTask['pool']; readonly replica_id: string | undefined; readonly place: string }>()

  /** It runs. */
  seat(one: T): void {
    const { pool, replica_id } = one.task
    const before = this.sits.get(one)
    if (before?.pool === pool && before.replica_id === replica_id) return
    this.leave(one)
    const place = `${pool.id}/${replica_id ?? ''}`
    const seats = this.places.get(place) ?? []
    this.places.set(place, seats)
    const free = seats.indexOf(undefined)
    one.slot = free < 0 ? seats.length : free
    seats[one.slot] = one
    this.sits.set(one, { pool, replica_id, place })
  }

  /** It does not run any more. */
  leave(one: T): void {
    const before = this.sits.get(one)
    if (before === undefined || one.slot === undefined) return
    const seats = this.places.get(before.place) ?? []
    seats[one.slot] = one.slot = undefined
    this.sits.delete(one)
  }
}
