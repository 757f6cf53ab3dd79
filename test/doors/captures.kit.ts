import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { doorOf, operations, operationsAt } from '../../src/http/operations.ts'
import type { AnyOperationId, Received } from '../harness/contract.ts'
import { mockPool } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

/** A request of a client as it was seen. */
export interface Capture {
  /** Folder and file. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** An object, but where a test made something else of it. */
  readonly body?: Readonly<Record<string, unknown>> | null
}

const isObject = (body: unknown): body is object => typeof body === 'object' && body !== null

const folder = fileURLToPath(new URL('../fixtures/clients', import.meta.url))

/** All requests of clients that the doors answer. */
export const captures: readonly Capture[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Omit<Capture, 'name'>) }))

/** The request that gives away what a thread is: it has to be refused. */
export const threadCapture = 'anthropic-node/09-messages-tools-thread.json'

/** A pool with room for what agents send. */
export const roomyPool = (fields: Record<string, unknown> = {}): Record<string, unknown> =>
  mockPool({ ctx: 131_072, timeouts: { tokenize_ms: 60_000 }, ...fields })

/** Its model where it names one, and its key. */
export function dressed({ headers, body, path }: Capture, model: string, key: string): Pick<Capture, 'headers' | 'body' | 'path'> {
  const known = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('KEY', key)]))
  const named = body !== undefined && isObject(body) && 'model' in body ? { ...body, model } : body
  return { headers: known, path: path.replace('fake-1', model), ...(named === undefined ? {} : { body: named }) }
}

/** Sends a captured request with a served model and a valid key. */
export function replay(url: string, capture: Capture, key: string, model = 'mock:v1'): Promise<Received> {
  const { headers, body, path } = dressed(capture, model, key)
  return call(url, path, { method: capture.method, headers, ...(body === undefined ? {} : { body }) })
}

/** The operation that a captured request is meant for. */
export function operationOf({ method, path, headers }: Pick<Capture, 'method' | 'path' | 'headers'>): AnyOperationId {
  const pathname = path.replace(/\?.*/, '')
  const door = doorOf(pathname, headers)
  const found = operationsAt(pathname).find((operation) => operation.door === door && operation.method === method.toLowerCase())
  const id = [...operations].find(([, operation]) => operation === found)?.[0]
  if (id === undefined) throw new Error(`no operation for ${method} ${path}`)
  return id
}
