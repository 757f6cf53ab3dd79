import type { components } from '../../generated/api.ts'
import type { operations } from '../../generated/operations.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import { controlLimits, type ControlWorld, type ControlWorldName } from './control-worlds.ts'

/** Operations all of whose answers are here; of the others only what is new with budgets, limits and drains. */
export const wholeOperations = ['putSession', 'drainPool', 'resumePool', 'reloadPool'] as const
type Operation = (typeof wholeOperations)[number] | 'createTask' | 'streamTask' | 'getSession' | 'listPools' | 'getPoolHealth'

/** A request of an operation; what is left out is as it should be. */
export interface ControlAsk {
  readonly id?: string
  /** `null` sends none. */
  readonly key?: string | null
  readonly bearer?: boolean
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: object | string
}

interface CaseOf<Op extends Operation> {
  readonly op: Op
  readonly status: (typeof operations)[Op]['statuses'][number]
  readonly what: string
  readonly code?: components['schemas']['ErrorCode']
  /** What the message has to name. */
  readonly names?: RegExp
  /** The `code` of the stream's terminal frame. */
  readonly ends?: components['schemas']['ErrorCode']
  /** `plain` if left out. */
  readonly world?: ControlWorldName
  readonly ask?: ControlAsk | ((world: ControlWorld) => ControlAsk | Promise<ControlAsk>)
}

export type ControlCase = { [Op in Operation]: CaseOf<Op> }[Operation]

const nobody = { id: 'nobody' }
const exhausted = { status: 403, code: 'BUDGET_EXHAUSTED' } as const
const limited = { status: 429, code: 'ADMISSION_REJECT' } as const
const unready = { status: 503, code: 'POOL_UNREADY' } as const
const bad = { status: 400, code: 'INVALID_PARAMS' } as const
const conflict = { status: 409, code: 'CONFLICT' } as const
const task = (fields: Record<string, unknown>, key: string = keys.data): ControlAsk => ({ body: mockTask(fields), key })
const drain = (id: string, deadline_ms = 60_000): ControlAsk => ({ id, body: { deadline_ms } })
const reload = (id: string, model_ref: string): ControlAsk => ({ id, body: { model_ref } })
const large = 'x'.repeat(controlLimits.body_bytes)
const xml = { headers: { 'Content-Type': 'application/xml' } }

/** What every control operation with a body answers in the same way. */
const everywhere = wholeOperations.flatMap((op): ControlCase[] => [
  { op, status: 401, what: 'no key', code: 'UNAUTHENTICATED', ask: { key: null } },
  { op, status: 403, what: 'a wrong key', code: 'FORBIDDEN', ask: { key: 'wrong' } },
  { op, status: 403, what: 'a wrong bearer key', code: 'FORBIDDEN', ask: { key: 'wrong', bearer: true } },
  { op, status: 403, what: 'a key without the role', code: 'FORBIDDEN', ask: { key: op === 'putSession' ? keys.control : keys.data } },
  { op, ...bad, what: 'an id that is none', ask: { id: 'Not an id' } },
  { op, ...bad, what: 'an unknown query parameter', ask: { query: { surprise: '1' } } },
])

const withBody = (['putSession', 'drainPool', 'reloadPool'] as const).flatMap((op): ControlCase[] => [
  { op, ...bad, what: 'no body', ask: { body: '' } },
  { op, ...bad, what: 'half a body', ask: { body: '{"deadline_ms":' } },
  { op, ...bad, what: 'null', ask: { body: 'null' } },
  { op, ...bad, what: 'an unknown field', ask: { body: { deadline_ms: 1, model_ref: 'mock:v1', surprise: 1 } } },
  { op, status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: { body: { model_ref: large } } },
  { op, status: 415, what: 'XML', code: 'INVALID_PARAMS', ask: xml },
])

const sessions: ControlCase[] = [
  { op: 'putSession', status: 200, what: 'a new one, as configured', ask: { id: 'fresh', body: {} } },
  { op: 'putSession', status: 200, what: 'a new one with budgets', ask: { id: 'own', body: { ttl_ms: 1000, budgets: { tokens: 100, time_ms: 1000, cost: 0.5 } } } },
  { op: 'putSession', status: 200, what: 'one with the most it may have', ask: { id: 'most', body: { ttl_ms: controlLimits.ttl_ms, budgets: controlLimits.budgets } } },
  { op: 'putSession', status: 200, what: 'one that is there', ask: async (world) => ({ id: await world.session({ tokens: 5 }), body: { budgets: { tokens: 7 } } }) },
  { op: 'putSession', status: 200, what: "another key's name", ask: async (world) => ({ id: await world.session({}), key: keys.other, body: {} }) },
  { op: 'putSession', status: 200, what: 'while the daemon stops', world: 'stopping', ask: { body: {} } },
  { op: 'putSession', ...bad, what: 'a longer life than configured', names: /ttl_ms/, ask: { body: { ttl_ms: controlLimits.ttl_ms + 1 } } },
  { op: 'putSession', ...bad, what: 'more tokens than configured', names: /budgets\.tokens/, ask: { body: { budgets: { tokens: 10_001 } } } },
  { op: 'putSession', ...bad, what: 'more time than configured', names: /budgets\.time_ms/, ask: { body: { budgets: { time_ms: 60_001 } } } },
  { op: 'putSession', ...bad, what: 'more money than configured', names: /budgets\.cost/, ask: { body: { budgets: { cost: 1.01 } } } },
  { op: 'putSession', ...bad, what: 'a budget of nothing', names: /budgets/, ask: { body: { budgets: { tokens: 0 } } } },
  { op: 'putSession', ...bad, what: 'a budget that is none', names: /budgets/, ask: { body: { budgets: { love: 1 } } } },
  { op: 'putSession', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { body: {} } },
  { op: 'drainPool', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: drain('fast') },
  { op: 'resumePool', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'fast' } },
  { op: 'getSession', status: 200, what: 'one with budgets', ask: async (world) => ({ id: await world.session({ tokens: 5 }), key: keys.data }) },
]

const pools: ControlCase[] = [
  { op: 'drainPool', status: 202, what: 'one that is idle', ask: drain('again') },
  { op: 'drainPool', status: 202, what: 'one that drains', ask: async (world) => (await world.drain('again', 1), drain('again')) },
  { op: 'drainPool', status: 202, what: 'with no time', ask: drain('again', 0) },
  { op: 'drainPool', status: 202, what: 'a bearer key', ask: { ...drain('again'), bearer: true } },
  { op: 'drainPool', status: 202, what: 'one that is being reloaded', world: 'reloading', ask: drain('one') },
  { op: 'drainPool', ...bad, what: 'no deadline', names: /deadline_ms/, ask: { body: {} } },
  { op: 'drainPool', ...bad, what: 'a deadline before now', names: /deadline_ms/, ask: { body: { deadline_ms: -1 } } },
  { op: 'drainPool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: nobody },
  { op: 'resumePool', status: 202, what: 'one that drains', ask: async (world) => (await world.drain('again', 60_000), { id: 'again' }) },
  { op: 'resumePool', status: 202, what: 'one that does not', ask: { id: 'again' } },
  { op: 'resumePool', ...conflict, what: 'one whose model nobody registered', names: /No such model/, ask: { id: 'resting' } },
  { op: 'resumePool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: nobody },
  { op: 'reloadPool', status: 202, what: 'another model', ask: reload('again', 'mock:other') },
  { op: 'reloadPool', status: 202, what: 'the same model', ask: reload('again', 'mock:again') },
  { op: 'reloadPool', ...bad, what: 'no model', names: /model_ref/, ask: { body: {} } },
  { op: 'reloadPool', ...bad, what: 'no time', names: /deadline_ms/, ask: { body: { model_ref: 'mock:v2', deadline_ms: 0 } } },
  { op: 'reloadPool', ...bad, what: 'a model its driver does not take', names: /model_ref/, ask: reload('again', 'file:models/tinytales.gguf') },
  { op: 'reloadPool', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: reload('nobody', 'mock:other') },
  { op: 'reloadPool', ...conflict, what: 'one that is being reloaded', world: 'reloading', ask: reload('one', 'mock:other') },
  { op: 'reloadPool', ...conflict, what: 'a model that does not prove itself', names: /old one serves on/, ask: reload('faulty', 'mock:other') },
  { op: 'reloadPool', ...unready, what: 'a daemon that stops', world: 'stopping', ask: reload('again', 'mock:other') },
  { op: 'listPools', status: 200, what: 'one that drains', ask: async (world) => (await world.drain('drained', 60_000), {}) },
  { op: 'getPoolHealth', status: 200, what: 'one that drains', ask: async (world) => (await world.drain('drained', 60_000), { id: 'drained' }) },
  { op: 'getPoolHealth', status: 200, what: 'one that rests', ask: { id: 'resting' } },
  { op: 'getPoolHealth', status: 200, what: 'one whose reload failed', ask: async (world) => (await world.ask('POST', '/v1/pools/faulty/reload', keys.control, { model_ref: 'mock:other' }, 409), { id: 'faulty' }) },
]

const tasks: ControlCase[] = [
  { op: 'createTask', status: 202, what: 'within its budgets', ask: async (world) => task({ session_id: await world.session({ tokens: 68 }) }) },
  { op: 'createTask', ...exhausted, what: 'more tokens than its session has', names: /tokens.*session/, ask: async (world) => task({ session_id: await world.session({ tokens: 67 }) }) },
  { op: 'createTask', ...exhausted, what: 'more money than its session has', names: /cost.*session/, ask: async (world) => task({ session_id: await world.session({ cost: 0.000039 }) }) },
  { op: 'createTask', ...exhausted, what: 'no time left', names: /time_ms.*session/, ask: async (world) => task({ session_id: await timeless(world) }) },
  { op: 'createTask', ...exhausted, what: 'more tokens than its key has', names: /tokens.*key/, ask: task({}, 'poor') },
  { op: 'createTask', status: 403, what: 'a priority its key may not ask for', code: 'FORBIDDEN', names: /priority/, ask: task({}, 'modest') },
  { op: 'createTask', ...limited, what: 'more requests than its key may make', names: /minute/, ask: async (world) => (await world.ask('POST', '/v1/tasks', 'brisk', mockTask({ model_ref: 'mock:fast' }), 202), task({}, 'brisk')) },
  {
    ...limited,
    op: 'createTask',
    what: 'more than its key may have waiting',
    names: /waiting/,
    ask: async (world) => {
      for (let i = 0; i < 2; i++) await world.ask('POST', '/v1/tasks', 'waiter', mockTask({ model_ref: 'mock:one' }), 202)
      return task({ model_ref: 'mock:one' }, 'waiter')
    },
  },
  { op: 'createTask', ...unready, what: 'a pool that drains', ask: async (world) => (await world.drain('drained', 60_000), task({ model_ref: 'mock:drained' })) },
  { op: 'createTask', status: 503, what: 'a pool that rests', code: 'POOL_UNAVAILABLE', names: /No such model/, ask: task({ engine: 'llamacpp', model_ref: 'catalog:nobody', ctx: 256 }) },
  { op: 'streamTask', status: 200, what: 'one whose time budget ran out', ends: 'BUDGET_EXHAUSTED', ask: async (world) => ({ id: await overtime(world), key: keys.data }) },
  { op: 'streamTask', status: 200, what: 'one whose pool was drained', ends: 'POOL_UNREADY', ask: async (world) => ({ id: await drained(world), key: keys.data }) },
]

/** Every case of the control operations and of what they change. */
export const controlCases: readonly ControlCase[] = [...everywhere, ...withBody, ...sessions, ...pools, ...tasks]

/** A task that was stopped because its session's time ran out. */
async function overtime(world: ControlWorld, session_id?: string): Promise<string> {
  const id = await world.task({ session_id: session_id ?? (await world.session({ time_ms: 10 })) })
  await world.clock.advance(100)
  return id
}

/** A session whose time has run out. */
async function timeless(world: ControlWorld): Promise<string> {
  const session_id = await world.session({ time_ms: 10 })
  await overtime(world, session_id)
  return session_id
}

/** A task whose pool was drained before it ended. */
async function drained(world: ControlWorld): Promise<string> {
  await world.ask('POST', '/v1/pools/drained/resume', keys.control, undefined, 202)
  const id = await world.task({ model_ref: 'mock:drained' })
  await world.drain('drained', 0)
  await world.clock.advance(1)
  return id
}
