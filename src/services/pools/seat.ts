import type { Waiter } from '../../domain/groups/forecast.ts'
import type { LoadState } from '../../domain/groups/member.ts'
import type { Start } from '../../domain/prediction/forecast.ts'

/** What becomes of the pools of a group if one is wanted or sent away. */
export interface SeatForesight {
  /** The pool that leaves; none where there is room, or nothing changes. */
  readonly leaves: string | undefined
  /** When that pool is expected to be loaded again if this task waits for it, from now. */
  readonly loadedIn: (waiter: Waiter) => Start
}

/** The place of a pool in its group: where it is, and what it asks of the group. */
export interface Seat {
  readonly state: LoadState
  /** It is not loaded before, for a load has failed or its model may not be served, ms since the epoch. */
  readonly retry_at: number
  /** Why it cannot be loaded until its model may be served or it is reloaded with another one. */
  readonly refusal: string | undefined
  /** Another pool that has the place it could have. */
  readonly holder: string | undefined
  /** When it is expected to be loaded if this task comes, from now. */
  loadedIn(waiter: Waiter): Start
  /** Something has changed: what waits, what runs, or how its replicas are. */
  changed(): void
  /** Its model may be served again. */
  pardon(): void
  /** Always loaded. */
  readonly pinned: boolean
  /** It is loaded as soon as there is room, which another pool makes where there is none. */
  want(): void
  /** It is unloaded when what runs has ended. */
  sendAway(): void
  /** What would follow if it were wanted, or sent away, now. */
  foresee(change: 'want' | 'sendAway'): SeatForesight
}
