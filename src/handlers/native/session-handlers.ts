import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handlers } from '../handler.ts'
import { deleteSession } from './delete-session.ts'
import { getSession } from './get-session.ts'
import { putSession } from './put-session.ts'

/** The part of the map that is about sessions. */
export const sessionHandlers = (services: {
  readonly sessions: Sessions
}): Pick<Handlers, 'getSession' | 'putSession' | 'deleteSession'> => ({
  getSession: getSession(services),
  putSession: putSession(services),
  deleteSession: deleteSession(services),
})
