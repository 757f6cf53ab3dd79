import type { Mismatch } from './stream.ts'

/** A response as it came over the wire. */
export interface Received {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

interface Header<S> {
  readonly required?: boolean
  readonly schema: S
}

/** A response as the contract declares it, references to headers followed. */
export interface Declared<S> {
  readonly headers: Readonly<Record<string, Header<S>>>
  readonly content: Readonly<Record<string, { readonly schema: S }>>
}

/** How values are held to schemas. */
interface Values<S> {
  readonly mismatch: Mismatch<S>
  /** The type that a schema names, its reference followed. */
  readonly typeOf: (schema: S) => string | undefined
}

/** How whole answers are. */
interface Answers<S> extends Values<S> {
  /** What a whole event stream has against the contract. */
  readonly stream: (text: string) => string[]
}

/** Everything an answer has against its declaration; empty where it keeps it. */
export function answerProblems<S>(declared: Declared<S>, received: Received, answers: Answers<S>): string[] {
  const headers = Object.entries(declared.headers).flatMap(([name, header]) =>
    headerProblems(name, header, received.headers[name.toLowerCase()], answers),
  )
  return [...headers, ...bodyProblems(declared.content, received, answers)]
}

/** What a header has against its declaration. */
export function headerProblems<S>(
  name: string,
  { required, schema }: Header<S>,
  value: string | string[] | undefined,
  { mismatch, typeOf }: Values<S>,
): string[] {
  if (value === undefined) return required === true ? [`header ${name} is missing`] : []
  if (Array.isArray(value)) return [`header ${name} came ${value.length} times`]
  const type = typeOf(schema)
  const number = type === 'integer' || type === 'number'
  if (type === 'integer' && !/^-?[0-9]+$/.test(value)) return [`header ${name} is not an integer: ${value}`]
  const problem = mismatch(schema, number ? Number(value) : value)
  return problem === undefined ? [] : [`header ${name}: ${problem}: ${value}`]
}

function bodyProblems<S>(content: Declared<S>['content'], { headers, text }: Received, { mismatch, stream }: Answers<S>): string[] {
  const given = headers['content-type']
  if (Object.keys(content).length === 0)
    return given === undefined && text === '' ? [] : [`a body came where none is declared: ${String(given)} ${text}`]
  const [essence = '', ...parameters] = String(given)
    .split(';')
    .map((part) => part.trim().toLowerCase())
  const media = content[essence]
  if (media === undefined) return [`content type ${String(given)} is not declared`]
  if (parameters.some((parameter) => parameter !== 'charset=utf-8')) return [`content type ${String(given)} is not UTF-8`]
  if (essence === 'text/event-stream') return stream(text)
  let body: unknown
  try {
    body = essence === 'application/octet-stream' ? text : JSON.parse(text)
  } catch {
    return [`the body is not JSON: ${text}`]
  }
  const problem = mismatch(media.schema, body)
  return problem === undefined ? envelopeProblems(body, headers) : [`${problem}: ${text.slice(0, 1000)}`]
}

/** What the schema of an error's body cannot say: it repeats what the headers say. */
export function envelopeProblems(body: unknown, headers: Received['headers']): string[] {
  if (typeof body !== 'object' || body === null || !('correlation_id' in body)) return []
  const problems: string[] = []
  if (body.correlation_id !== headers['x-correlation-id']) problems.push('correlation_id and X-Correlation-Id differ')
  const backoff = headers['x-backoff-ms']
  if (backoff === undefined) return problems
  if (!('retry_after_ms' in body) || String(body.retry_after_ms) !== backoff) problems.push('retry_after_ms and X-Backoff-Ms differ')
  if (String(Math.ceil(Number(backoff) / 1000)) !== headers['retry-after'])
    problems.push('Retry-After is not X-Backoff-Ms in seconds, rounded up')
  return problems
}
