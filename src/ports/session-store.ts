import type { Spent } from '../domain/accounts/budget.ts'
import type { Session } from '../domain/accounts/session.ts'

/** Reads what facts of sessions left, and the sums of `key_spent` facts. */
export interface SessionStore {
  /** Every session that is stored, expired ones included, page by page. */
  all(): AsyncIterable<readonly Session[]>
  /** What each key with budgets has used up. */
  spentByKeys(): Promise<ReadonlyMap<string, Spent>>
}
