import { nothingSpent, plus, type Spent } from '../../src/domain/accounts/budget.ts'
import type { Session } from '../../src/domain/accounts/session.ts'
import { taskKeyOf } from '../../src/domain/task.ts'
import type { Fact } from '../../src/ports/journal.ts'

/** What facts of sessions leave, by owner and id; others change nothing. */
export function applyToSessions(sessions: Map<string, Session>, fact: Fact): void {
  if (fact.kind === 'session_put') {
    const { session } = fact
    const old = sessions.get(sessionKey(session))
    if (old === undefined || old.created_at < session.created_at) sessions.set(sessionKey(session), session)
  } else if (fact.kind === 'session_deleted') sessions.delete(sessionKey(fact))
  else if (fact.kind === 'session_renewed' || fact.kind === 'session_spent') {
    const old = sessions.get(sessionKey(fact))
    if (old === undefined) return
    const { created_at, expires_at } = fact
    if (fact.kind === 'session_renewed')
      sessions.set(sessionKey(fact), { ...old, created_at, expires_at, budgets: fact.budgets, spent: nothingSpent })
    else {
      const life = created_at > old.created_at ? { created_at, expires_at } : {}
      sessions.set(sessionKey(fact), { ...old, ...life, turns: old.turns + fact.turns, spent: plus(old.spent, fact.more) })
    }
  }
}

/** What facts of keys leave, by owner; others change nothing. */
export function applyToKeys(keys: Map<string, Spent>, fact: Fact): void {
  if (fact.kind === 'key_spent') keys.set(fact.owner, plus(keys.get(fact.owner) ?? nothingSpent, fact.more))
}

const sessionKey = ({ owner, session_id }: Pick<Session, 'owner' | 'session_id'>): string => taskKeyOf(owner, session_id)
