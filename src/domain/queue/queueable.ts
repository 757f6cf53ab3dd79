/** What a queue has to know of its elements, and what it keeps in them so that finding one needs no search. */
export interface Queueable {
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
  /** Expected service time of one slot, ms. */
  readonly work_ms: number
  /** Its place in the queue it is or was in last, in order of places. Only that queue writes it. */
  ticket: number
  /** Order of admission among all that have come in. Only the scheduler writes it. */
  arrival: number
}
