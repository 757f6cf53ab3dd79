import type { Account, Spent, Usage } from '../../domain/accounts/budget.ts'
import type { Session, SessionLife } from '../../domain/accounts/session.ts'

/** The most a task may use: prompt and `max_tokens`, and what they cost. */
export type Need = Usage

/** A session or a key with budgets. */
export interface BudgetHolder {
  readonly account: Account
  /** Reservations of its tasks that run; undefined where none does. */
  running: Set<{ watchTime(): void }> | undefined
  /** Spent, and in no fact that is durable or on its way to disk: the next one takes it along. */
  owed: Spent
}

/** What a reservation needs of its session. */
export interface ReservedSession extends BudgetHolder {
  session: SessionLife
  /** As it began; the same object as `session` until that is given a new life. */
  readonly opened: Session
  /** Tasks dispatched so far. */
  turns: number
  /** Turns of tasks that have ended, owed like `owed`. */
  owed_turns: number
  /** Accepted tasks that have not been dispatched. */
  reserved: number
  /** Accepted tasks that have not ended. */
  tasks: number
  /** In the order in which sessions came, from 1; 0 where it is not kept. */
  number: number
  kv_warm: boolean
  /** A task, putSession or the start of the daemon has made it durable. */
  stored: boolean
  /** No task comes into it any more. */
  leaving: boolean
  /** It is not kept any more, or never was: nothing is written of it. */
  gone: boolean
}
