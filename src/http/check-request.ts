import { bodies, type Validate } from '../../generated/bodies.js'
import { operations } from '../../generated/operations.ts'
import { parameters } from '../../generated/parameters.js'
import { DomainError } from '../domain/errors.ts'
import type { OperationId } from '../handlers/handler.ts'
import { firstProblem } from './validation-message.ts'

/** The parts of a request that the contract speaks of. Header names are lower case. */
export interface RequestParts {
  readonly path: object
  readonly query: object
  readonly header: object
  readonly body: unknown
}

/**
 * What the contract says about the requests of an operation. The returned function fills in defaults and turns parameters into what they stand
 * for, in place; it throws DomainError invalid_params about the first thing that is wrong, the body first.
 * @throws Error where a validator is missing
 */
export function requestCheck(id: OperationId): (parts: RequestParts) => void {
  const checkBody = bodies[id]
  // Of JSON anything may come; the types are no proof.
  const checkParameters = parameters[id] as Validate | undefined
  if (checkParameters === undefined || (checkBody === undefined) === operations[id].body)
    throw new Error(`${id} has no validators; run: npm run codegen`)
  return ({ path, query, header, body }) => {
    if (checkBody !== undefined) hold(checkBody, { requestBody: body })
    hold(checkParameters, { path, query, header })
  }
}

function hold(check: Validate, parts: object): void {
  if (!check(parts)) throw new DomainError('invalid_params', firstProblem(check.errors ?? []))
}
