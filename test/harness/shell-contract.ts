import { envelopeProblems, mismatch, responseOf, schemaNamed, headerProblems, type Received } from './contract.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What is due besides the correlation id. */
export interface ShellRules {
  /** Methods the path has, where the method was none of them. */
  readonly allow?: readonly string[] | undefined
  /** The answer to HEAD has no body. */
  readonly head?: boolean
  /** A path that nobody has below a door's: the error has that door's shape. */
  readonly door?: boolean
}

/**
 * What an answer has against the rules that hold for all of them, those that belong to no operation as well: a correlation id, echoed if
 * it was well formed and a new UUID otherwise, and the envelope on every error.
 */
export function shellProblems(
  received: Received,
  given: string | undefined,
  { allow, head = false, door = false }: ShellRules = {},
): string[] {
  const { status, headers, text } = received
  const correlation_id = headers['x-correlation-id']
  const { headers: declared } = responseOf('listPools', 200)!
  const problems = headerProblems('X-Correlation-Id', declared['X-Correlation-Id']!, correlation_id)
  if (given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given)) {
    if (correlation_id !== given) problems.push(`X-Correlation-Id is not the one given: ${String(correlation_id)}`)
  } else if (!uuid.test(String(correlation_id))) problems.push(`X-Correlation-Id is no new UUID: ${String(correlation_id)}`)
  const methods = typeof headers['allow'] === 'string' ? headers['allow'].split(', ').sort() : undefined
  if (methods?.join() !== allow?.toSorted().join()) problems.push(`Allow is ${String(headers['allow'])}`)
  if (status < 400) return problems
  if (headers['content-type'] !== 'application/json; charset=utf-8') problems.push(`content type ${String(headers['content-type'])}`)
  if (head) return text === '' ? problems : [...problems, 'a body came to HEAD']
  let envelope: unknown
  try {
    envelope = JSON.parse(text)
  } catch {
    return [...problems, `the body is not JSON: ${text}`]
  }
  if (door) {
    const { error } = envelope as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? problems : [...problems, `the error has no door's shape: ${text}`]
  }
  const problem = mismatch(schemaNamed('ErrorEnvelope'), envelope)
  return [...problems, ...(problem === undefined ? [] : [`${problem}: ${text}`]), ...envelopeProblems(envelope, headers)]
}
