import type { components } from '../../../generated/api.ts'
import { isExpired, type SessionInfo, type SessionLife } from '../../domain/accounts/session.ts'
import { defaultPage } from '../../domain/page.ts'
import { controls, ownersListed, type Principal } from '../../domain/principal.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { ReservedSession } from './reserved-session.ts'

/** Which sessions to list. */
export interface SessionQuery {
  /** Only sessions of this key. */
  readonly owner?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** One page of sessions. */
export type SessionPage = components['schemas']['SessionPage']

/** Where an engine should have the beginning of a session's next prompt in its cache. */
export type WarmOn = (session: SessionLife) => SessionPage['sessions'][number]['warm_on']

/** Sessions that have not expired, newest first. @throws DomainError forbidden */
export function sessionPage(
  known: KnownSessions,
  principal: Principal,
  { owner, limit = defaultPage, cursor }: SessionQuery,
  {
    clock,
    describe,
    warmOn,
  }: { readonly clock: Clock; readonly describe: (entry: ReservedSession) => SessionInfo; readonly warmOn: WarmOn },
): SessionPage {
  const now = clock.now()
  const sessions: SessionPage['sessions'] = []
  let last = 0
  for (const entry of known.newestFirst(ownersListed(principal, owner), cursor === undefined ? undefined : Number(cursor))) {
    const { session } = entry
    if (entry.leaving || isExpired(session, now)) continue
    if (sessions.length === limit) return { sessions, next_cursor: String(last) }
    last = entry.number
    sessions.push({
      session_id: session.session_id,
      ...(controls(principal) ? { owner: session.owner } : {}),
      created_at: new Date(clock.wallOf(session.created_at)).toISOString(),
      tasks: entry.tasks,
      warm_on: warmOn(session),
      ...describe(entry),
    })
  }
  return { sessions }
}
