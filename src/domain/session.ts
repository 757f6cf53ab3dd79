/** What consecutive tasks of one conversation share; belongs to the key that created it. */
export interface Session {
  readonly owner: string
  readonly session_id: string
  /** Milliseconds since the epoch. */
  readonly created_at: number
  readonly expires_at: number
  /** Tasks dispatched so far. */
  readonly turns: number
}
