import type { Spent } from '../domain/accounts/budget.ts'
import type { Session } from '../domain/accounts/session.ts'

/** Reads what `session_put` and `session_deleted` facts left, and what `key_spent` facts say of the keys. */
export interface SessionStore {
  /** Every session that is stored, expired ones included. */
  all(): Promise<Session[]>
  /** What each key with budgets has used up. */
  spentByKeys(): Promise<ReadonlyMap<string, Spent>>
}
