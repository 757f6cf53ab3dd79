import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { keys, mockPool, type TestDaemon } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import type { Frame } from '../../cli/contract/frame.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Money a million tokens. A task of `mockTask` has 4 prompt tokens, and 8 are generated. */
export const prices = { input_per_million: 0.2, output_per_million: 0.6 }

/** What tokens cost, billionths. */
export const nanoOf = (tokens_in: number, tokens_out: number): number => tokens_in * 200 + tokens_out * 600

/** Money as billionths. */
export const nano = (money: unknown): number => Math.round(Number(money) * 1e9)

/** `auth` with the keys of every test daemon and some that have limits. */
export const authWith = (limited: Readonly<Record<string, Record<string, unknown>>>): Record<string, unknown> => ({
  keys: [
    { name: 'data', key_sha256: sha256(keys.data), roles: ['data'] },
    { name: 'other', key_sha256: sha256(keys.other), roles: ['data'] },
    { name: 'control', key_sha256: sha256(keys.control), roles: ['control'] },
    { name: 'all', key_sha256: sha256(keys.all), roles: ['data', 'control'] },
    ...Object.entries(limited).map(([name, limits]) => ({ name, key_sha256: sha256(name), roles: ['data'], limits })),
  ],
})

/** Every task takes 1000 ms of its engine until the first token and 100 ms from one of its 8 tokens to the next: 1700 ms. */
export const pricedPool = (fields: Record<string, unknown> = {}): Record<string, unknown> =>
  mockPool({
    prices,
    replicas: [{ id: 'r0', slots: 400 }],
    queue: { capacity: 1000 },
    mock: { prefill_ms: 1000, token_ms: 100, tokens: 8 },
    ...fields,
  })

export const putSession = (daemon: TestDaemon, id: string, body: unknown, key: string = keys.data): Promise<Answer> =>
  call(daemon.url, `/v1/sessions/${id}`, { method: 'PUT', key, body })

export const getSession = (daemon: TestDaemon, id: string, key: string = keys.data): Promise<Answer> =>
  call(daemon.url, `/v1/sessions/${id}`, { key })

/** Budgets left, as SessionInfo and metrics frames name them. */
export interface Left {
  readonly tokens?: number
  readonly time?: number
  /** Billionths. */
  readonly cost?: number
}

const leftOf = (tokens: unknown, time: unknown, cost: unknown): Left => ({
  ...(tokens === undefined ? {} : { tokens: Number(tokens) }),
  ...(time === undefined ? {} : { time: Number(time) }),
  ...(cost === undefined ? {} : { cost: nano(cost) }),
})

export const leftIn = (fields: Readonly<Record<string, unknown>> = {}): Left =>
  leftOf(fields['tokens_budget_remaining'], fields['time_budget_remaining_ms'], fields['cost_budget_remaining'])

export const leftInHeaders = ({ headers }: { readonly headers: Answer['headers'] }): Left =>
  leftOf(headers['x-budget-tokens-remaining'], headers['x-budget-time-remaining-ms'], headers['x-budget-cost-remaining'])

/** What is left of a session. */
export async function leftOfSession(daemon: TestDaemon, id: string, key: string = keys.data): Promise<Left> {
  const { status, json, text } = await getSession(daemon, id, key)
  assert.equal(status, 200, text)
  return leftIn(json)
}

/** The last `metrics` frame, which stands before the terminal one. */
export const lastMetrics = (frames: readonly Frame[]): Frame['data'] => frames.findLast(({ event }) => event === 'metrics')?.data

/** A refusal that names the budget and whose it is. */
export function assertExhausted({ status, json }: Answer, budget: 'tokens' | 'cost' | 'time_ms', whose: 'session' | 'key'): void {
  assert.equal(status, 403, JSON.stringify(json))
  assert.equal(json['code'], 'BUDGET_EXHAUSTED')
  assert.equal(json['retriable'], false)
  assert.match(String(json['message']), new RegExp(`\\b${budget}\\b.*\\b${whose}\\b`))
}
