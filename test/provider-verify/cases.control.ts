import { nobody, type Case } from './case.ts'
import { limits } from './worlds.ts'

const sessionBody = { ttl_ms: 60_000, budgets: { tokens: 1000, time_ms: 1000, cost: 1 } }
const drain = { deadline_ms: 1000 }
const reload = { model_ref: 'mock:v1', deadline_ms: 60_000 }
const large = { metadata: 'x'.repeat(limits.body_bytes) }
const xml = { 'Content-Type': 'application/xml' }

/** What operations that take a body answer to one that is none. */
const bodies = (['putSession', 'drainPool', 'reloadPool'] as const).flatMap((op): Case[] => [
  { op, status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: { id: 'some', body: large } },
  { op, status: 415, what: 'XML', code: 'INVALID_PARAMS', ask: { id: 'some', headers: xml } },
  { op, status: 400, what: 'an unknown field', code: 'INVALID_PARAMS', ask: { id: 'some', body: { surprise: 1 } } },
])

const sessions: Case[] = [
  { op: 'putSession', status: 200, what: 'a new one', ask: { id: 'put-new', body: sessionBody } },
  { op: 'putSession', status: 200, what: 'one that exists', ask: async (world) => ({ id: await world.session('put-old'), body: sessionBody }) },
  { op: 'putSession', status: 400, what: 'a longer life than configured', code: 'INVALID_PARAMS', ask: { id: 'put', body: { ttl_ms: 2_000_000_000 } } },
  { op: 'putSession', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'put', body: sessionBody } },
]

const pools: Case[] = [
  { op: 'drainPool', status: 202, what: 'one that is idle', world: 'steered', ask: { id: 'mock', body: drain } },
  { op: 'drainPool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody, body: drain } },
  { op: 'resumePool', status: 202, what: 'one that drains', world: 'steered', ask: { id: 'mock' } },
  { op: 'resumePool', status: 409, what: 'one that rests', code: 'CONFLICT', world: 'steered', ask: { id: 'resting' } },
  { op: 'resumePool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'drainPool', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'mock', body: drain } },
  { op: 'resumePool', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'mock' } },
  { op: 'reloadPool', status: 202, what: 'the same model', world: 'steered', ask: { id: 'mock', body: reload } },
  { op: 'reloadPool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody, body: reload } },
  { op: 'reloadPool', status: 400, what: 'a reference the driver does not take', code: 'INVALID_PARAMS', ask: { id: 'mock', body: { model_ref: 'file:x' } } },
  { op: 'reloadPool', status: 409, what: 'a model that does not come up', code: 'CONFLICT', world: 'loading', ask: { id: 'mock', body: reload } },
  { op: 'reloadPool', status: 503, what: 'a daemon that stops', code: 'POOL_UNREADY', world: 'stopping', ask: { id: 'mock', body: reload } },
]

/** Cases of sessions' budgets and of the control plane; the catalog's are in catalog-cases.ts. */
export const control: readonly Case[] = [...bodies, ...sessions, ...pools]
