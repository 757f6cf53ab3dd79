import { doorOperations } from '../../generated/doors.ts'
import { operations as native } from '../../generated/operations.ts'
import type { OperationId } from '../handlers/handler.ts'

/** A wire dialect: our own, or that of another API. */
export type Door = 'native' | (typeof doorOperations)[keyof typeof doorOperations]['door']

/** What the shell has to know of an operation. */
export interface Operation {
  readonly door: Door
  readonly role: 'data' | 'control'
  readonly method: string
  readonly path: string
  readonly statuses: readonly number[]
  readonly body: boolean
  /** It takes a form with a file. */
  readonly upload?: boolean
  /** It is meant where the request has this header, in place of the other operation on its path. */
  readonly when?: string
}

const listed: [string, Operation][] = [
  ...Object.entries(native).map(([id, operation]): [string, Operation] => [id, { door: 'native', ...operation }]),
  ...Object.entries<Operation>(doorOperations),
]

/** Every operation of all contracts. */
export const operations = new Map(listed as [OperationId, Operation][])

const places = Array.from(operations.values(), (operation) => ({
  operation,
  parts: operation.path.split('/'),
}))

/** The operations on a path, whatever their method. */
export function operationsAt(path: string): Operation[] {
  const given = (path.length > 1 ? path.replace(/\/+$/, '') : path).split('/')
  const matches = (parts: readonly string[]): boolean =>
    parts.length === given.length && parts.every((part, i) => part.startsWith('{') || part === given[i])
  return places.flatMap(({ operation, parts }) => (matches(parts) ? [operation] : []))
}

/** What a path was meant to be whose base URL has `/v1` twice or not at all, for some clients add it themselves; undefined where it is nothing so, either. */
export function misledPath(path: string): { readonly meant: string; readonly mistake: string } | undefined {
  const twice = path.startsWith('/v1/v1/')
  const meant = twice ? path.slice('/v1'.length) : `/v1${path}`
  if (operationsAt(meant).length === 0) return undefined
  return { meant, mistake: twice ? '/v1 is twice in the base URL' : '/v1 is missing at the end of the base URL' }
}

/**
 * Whose shape the errors of a request have. A path that nobody has is of the door whose paths begin alike; below `/v1` any other is taken for one
 * of OpenAI's, which are many.
 */
export function doorOf(path: string, headers: Readonly<Record<string, unknown>>): Door {
  const found = operationsAt(path)
  const meant = found.find(({ when }) => when !== undefined && headers[when] !== undefined) ?? found.find(({ when }) => when === undefined)
  if (meant !== undefined) return meant.door
  const misled = misledPath(path)
  if (misled !== undefined) return doorOf(misled.meant, headers)
  const [, version, first = ''] = path.split('/')
  if (version !== 'v1' || first === '') return 'native'
  if (headers['anthropic-version'] !== undefined) return 'anthropic'
  return places.find(({ parts }) => parts[2] === first)?.operation.door ?? 'openai'
}
