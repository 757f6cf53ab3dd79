import type { Session } from '../../src/domain/accounts/session.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'

/** All pages of stored sessions. */
export async function sessionsOf(store: Pick<SessionStore, 'all'>): Promise<Session[]> {
  const all: Session[] = []
  for await (const page of store.all()) all.push(...page)
  return all
}

async function* nothing(): AsyncGenerator<Session[]> {
  yield await Promise.resolve([])
}

/** A store that has nothing. */
export const noSessions: SessionStore = { all: nothing, spentByKeys: () => Promise.resolve(new Map()) }
