import type { BatchEndpoint, BatchProblem } from '../../domain/batches/batch.ts'

/** Most lines of a batch. */
export const most_lines = 50_000

/** A line of a batch as its sender wrote it. */
export interface BatchLine {
  readonly custom_id: string
  readonly body: unknown
}

type Found = Pick<BatchProblem, 'code' | 'message' | 'param'>

/** The request in a line, or what is wrong with it. */
export function readLine(text: string, endpoint: BatchEndpoint): BatchLine | Found {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return { code: 'invalid_json_line', message: 'This line is not JSON.', param: null }
  }
  const wrong = (param: string, message: string, code = `invalid_${param}`): Found => ({ code, message: `${param}: ${message}`, param })
  if (typeof line !== 'object' || line === null || Array.isArray(line))
    return { code: 'invalid_json_line', message: 'This line is not an object.', param: null }
  const { custom_id, method, url, body } = line as Readonly<Record<string, unknown>>
  if (typeof custom_id !== 'string' || custom_id === '' || custom_id.length > 512)
    return wrong('custom_id', 'must be a text of 1 to 512 characters', 'missing_required_parameter')
  if (method !== 'POST') return wrong('method', 'must be POST')
  if (url !== endpoint) return wrong('url', `must be ${endpoint}, the endpoint of the batch`)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return wrong('body', 'must be an object')
  return { custom_id, body }
}

/** Finds what is wrong with the lines of a batch, one after the other: at most the first 100 problems are kept. */
export class LineCheck {
  total = 0
  readonly problems: BatchProblem[] = []
  private readonly seen = new Set<string>()
  private readonly endpoint: BatchEndpoint

  constructor(endpoint: BatchEndpoint) {
    this.endpoint = endpoint
  }

  /** @param number of the line, from 1 */
  take(text: string, number: number): void {
    this.total++
    if (this.total === most_lines + 1)
      this.add(number, { code: 'too_many_requests', message: `There are more than ${most_lines} lines.`, param: null })
    if (this.total > most_lines) return
    const line = readLine(text, this.endpoint)
    if ('code' in line) this.add(number, line)
    else if (this.seen.has(line.custom_id))
      this.add(number, { code: 'duplicate_custom_id', message: `custom_id: ${line.custom_id} is used before.`, param: 'custom_id' })
    else this.seen.add(line.custom_id)
  }

  /** There are no more lines. */
  end(): void {
    if (this.total === 0) this.problems.push({ code: 'empty_file', message: 'The input file has no lines.', param: null, line: null })
  }

  private add(line: number, found: Found): void {
    if (this.problems.length < 100) this.problems.push({ ...found, line })
  }
}
