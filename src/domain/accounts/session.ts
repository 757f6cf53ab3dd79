import type { components } from '../../../generated/api.ts'
import { DomainError } from '../errors.ts'
import { budgetFields, nothingSpent, type Budgets, type Remaining, type Spent } from './budget.ts'

/** A session as the wire shows it. */
export type SessionInfo = components['schemas']['SessionInfo']

/** What consecutive tasks of one conversation share; belongs to the key that created it. */
export interface Session {
  readonly owner: string
  readonly session_id: string
  /** Milliseconds since the epoch. */
  readonly created_at: number
  readonly expires_at: number
  /** Tasks dispatched so far. */
  readonly turns: number
  /** Limits of the session itself, and what of them is used up. */
  readonly budgets: Budgets
  readonly spent: Spent
}

/** Whose a session is, and how long it lives. */
export type SessionLife = Pick<Session, 'owner' | 'session_id' | 'created_at' | 'expires_at'>

/** What holds for every session. */
export interface SessionRules {
  /** Life from creation, ms. */
  readonly ttl_ms: number
  /** Tasks a session may dispatch. */
  readonly max_turns: number
  /** What every session may use unless it has budgets of its own. */
  readonly budgets: Budgets
}

/** Whether a session may have this life and these budgets. @throws DomainError invalid_params naming the field that is more than configured */
export function checkWithin(rules: SessionRules, ttl_ms = 0, budgets: Budgets = {}): void {
  if (ttl_ms > rules.ttl_ms) throw new DomainError('invalid_params', `body.ttl_ms: is more than the configured ${rules.ttl_ms}`)
  for (const field of ['tokens', 'time_ms', 'cost'] as const) {
    const most = rules.budgets[field]
    if (most !== undefined && (budgets[field] ?? 0) > most)
      throw new DomainError('invalid_params', `body.budgets.${field}: is more than the configured ${most}`)
  }
}

/** A session that begins now. */
export const openSession = (owner: string, session_id: string, now: number, rules: SessionRules): Session => ({
  owner,
  session_id,
  created_at: now,
  expires_at: now + rules.ttl_ms,
  turns: 0,
  budgets: rules.budgets,
  spent: nothingSpent,
})

/** Whether its life is over. @param now milliseconds since the epoch */
export const isExpired = (session: SessionLife, now: number): boolean => session.expires_at <= now

/** The session with as much time before it as it had when it began. @param now milliseconds since the epoch */
export const renewed = (session: SessionLife, now: number): SessionLife => ({
  ...session,
  created_at: now,
  expires_at: now + session.expires_at - session.created_at,
})

/** Turns that can still be taken when `reserved` tasks wait for theirs. */
export const turnsLeft = ({ turns }: Pick<Session, 'turns'>, reserved: number, rules: SessionRules): number =>
  Math.max(0, rules.max_turns - turns - reserved)

/** A session as the wire shows it. */
export const sessionInfo = (
  session: Pick<Session, 'expires_at' | 'turns'>,
  now: number,
  kv_warmth: boolean,
  remaining: Remaining,
): SessionInfo => ({
  ttl_ms_remaining: Math.max(0, Math.ceil(session.expires_at - now)),
  turns: session.turns,
  kv_warmth,
  ...budgetFields(remaining),
})
