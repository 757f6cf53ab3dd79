import { bodies, type Validate } from '../../generated/bodies.js'
import { doorOperations } from '../../generated/doors.ts'
import { operations } from '../../generated/operations.ts'
import { parameters } from '../../generated/parameters.js'
import { DomainError } from '../domain/errors.ts'
import { firstProblem } from './validation-message.ts'

/** The parts of a request that the contract speaks of. Header names are lower case. */
export interface RequestParts {
  readonly path: object
  readonly query: object
  readonly header: object
  readonly body: unknown
}

/** Fills in defaults and turns parameters into what they stand for, in place. @throws DomainError invalid_params about the first thing that is wrong, the body first */
export type RequestCheck = (parts: RequestParts) => void

/** What the contract says about the requests of an operation of ours. @throws Error where a validator is missing */
export function requestCheck(id: keyof typeof operations): RequestCheck {
  return checkOf(id, operations[id].body, bodies[id], parameters[id])
}

/** The same of an operation of a door: its validators are loaded when its first request comes. */
export async function doorRequestCheck(id: keyof typeof doorOperations): Promise<RequestCheck> {
  const [{ bodies }, { parameters }] = await validatorsOf[doorOperations[id].door]()
  return checkOf(id, doorOperations[id].body, bodies[id], parameters[id])
}

const validatorsOf = {
  anthropic: () => Promise.all([import('../../generated/anthropic-bodies.js'), import('../../generated/anthropic-parameters.js')]),
  openai: () => Promise.all([import('../../generated/openai-bodies.js'), import('../../generated/openai-parameters.js')]),
}

function checkOf(id: string, takesBody: boolean, checkBody: Validate | undefined, checkParameters: Validate | undefined): RequestCheck {
  if (checkParameters === undefined || (checkBody === undefined) === takesBody)
    throw new Error(`${id} has no validators; run: npm run codegen`)
  return ({ path, query, header, body }) => {
    if (checkBody !== undefined) hold(checkBody, { requestBody: body })
    hold(checkParameters, { path, query, header })
  }
}

function hold(check: Validate, parts: object): void {
  if (!check(parts)) throw new DomainError('invalid_params', firstProblem(check.errors ?? []))
}
