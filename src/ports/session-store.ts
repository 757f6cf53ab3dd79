import type { Session } from '../domain/session.ts'

/** Reads what `session_put` and `session_deleted` facts left. */
export interface SessionStore {
  /** Every session that is stored, expired ones included. */
  all(): Promise<Session[]>
}
