import type { IncomingMessage } from 'node:http'
import type { Principal } from '../domain/principal.ts'

/** What the shell learns of a request on its way in. */
export interface RequestState {
  readonly correlation_id: string
  principal?: Principal
  /** Set once the route is known. */
  operationId?: string
}

const state = Symbol('state')

interface Begun extends IncomingMessage {
  [state]?: RequestState
}

/** Attaches the state to a request; the first middleware does it. */
export const attachState = (req: IncomingMessage, correlation_id: string): void => {
  ;(req as Begun)[state] = { correlation_id }
}

/** @throws Error where the request has not been begun */
export function stateOf(req: IncomingMessage): RequestState {
  const begun = (req as Begun)[state]
  if (begun === undefined) throw new Error('the request has no state: beginRequest has to run first')
  return begun
}
