import type { Pools } from '../../services/pools/pools.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handlers } from '../handler.ts'
import { deleteSession } from './delete-session.ts'
import { getSession } from './get-session.ts'
import { listSessions } from './list-sessions.ts'
import { putSession } from './put-session.ts'

/** The part of the map that is about sessions. */
export const sessionHandlers = (services: {
  readonly sessions: Sessions
  readonly pools: Pick<Pools, 'all'>
}): Pick<Handlers, 'listSessions' | 'getSession' | 'putSession' | 'deleteSession'> => ({
  listSessions: listSessions(services),
  getSession: getSession(services),
  putSession: putSession(services),
  deleteSession: deleteSession(services),
})
