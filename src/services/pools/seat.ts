import type { Waiter } from '../../domain/groups/forecast.ts'
import type { LoadState } from '../../domain/groups/member.ts'
import type { Start } from '../../domain/prediction/forecast.ts'

/** The place of a pool in its group: where it is, and what it asks of the group. */
export interface Seat {
  readonly state: LoadState
  /** Why it cannot be loaded until its model may be served or it is reloaded with another one. */
  readonly refusal: string | undefined
  /** When it is expected to be loaded if this task comes, from now. */
  loadedIn(waiter: Waiter): Start
  /** Something has changed: what waits, what runs, or how its replicas are. */
  changed(): void
  /** Its model may be served again. */
  pardon(): void
}
