import { keys } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { casesOf, nobody, noDisk, other, task, type Ask, type Case } from './case.ts'
import type { World } from './world.ts'

const drain = (id: string, deadline_ms = 60_000): Ask => ({ id, body: { deadline_ms } })
const reload = (id: string, model_ref: string): Ask => ({ id, body: { model_ref } })

/** Where the second page of a queue begins. */
async function nextCursor({ daemon }: World): Promise<string> {
  const { json } = await call(daemon.url, '/v1/pools/mock/queue?limit=1', { key: keys.data })
  return String(json['next_cursor'])
}

/** Cases of pools that come up, are drained and reloaded, and of tasks for them. */
export const pools: readonly Case[] = [
  ...casesOf(
    'getCapabilities',
    { status: 200, what: 'of a pool that is up', names: /"pool_id":"mock"/ },
    { status: 200, what: 'of a pool that is not', names: /"supported_workloads":\[\]/, world: 'loading' },
  ),
  ...casesOf(
    'listPools',
    { status: 200, what: 'one that is up', names: /"ready":true/ },
    { status: 200, what: 'one that is not', names: /"ready":false/, world: 'loading' },
    { status: 200, what: 'one that drains', names: /"draining":true/, ask: async (world) => (await world.drain('drained'), {}) },
  ),
  ...casesOf(
    'getPoolHealth',
    { status: 200, what: 'one that is up', names: /"ready":true/, ask: { id: 'mock' } },
    { status: 200, what: 'one that is down', names: /"ready":false/, world: 'loading', ask: { id: 'mock' } },
    { status: 200, what: 'one that is busy', names: /"slots_busy":1/, world: 'reject', ask: { id: 'mock' } },
    {
      status: 200,
      what: 'one that drains',
      names: /"draining":true/,
      ask: async (world) => (await world.drain('drained'), { id: 'drained' }),
    },
    { status: 200, what: 'one that rests', names: /No such model/, ask: { id: 'resting' } },
    { status: 200, what: 'one whose reload failed', names: /"last_error"/, ask: unreloaded },
  ),
  ...casesOf(
    'listQueue',
    {
      status: 200,
      what: 'its own',
      names: /"state":"running".*"task_id".*"state":"queued".*"task_id"/,
      world: 'reject',
      ask: { id: 'mock' },
    },
    {
      status: 200,
      what: "others' places",
      names:
        /"state":"queued","priority":"interactive","age_ms":0,"queue_position":0,"predicted_start_ms":[0-9]+,"on_time_probability":[0-9.]+}/,
      world: 'reject',
      ask: { id: 'mock', ...other },
    },
    { status: 200, what: 'all, and whose they are', names: /"owner":"data"/, world: 'reject', ask: { id: 'mock', key: keys.all } },
    {
      status: 200,
      what: 'a page',
      names: /"next_cursor":"[A-Za-z0-9_-]{43}"/,
      world: 'reject',
      ask: { id: 'mock', query: { limit: '1' } },
    },
    {
      status: 200,
      what: 'the last page',
      names: /^(?!.*next_cursor).*"queued"/,
      world: 'reject',
      ask: async (world) => ({ id: 'mock', query: { limit: '1', cursor: await nextCursor(world) } }),
    },
    { status: 200, what: 'one that is not up', names: /"slots":0,"entries":\[\]/, world: 'loading', ask: { id: 'mock' } },
    { status: 400, what: 'a cursor that is none', names: /cursor/, ask: { id: 'mock', query: { cursor: '-1' } } },
    {
      status: 400,
      what: 'a cursor of nobody',
      names: /query\.cursor: is none of this list/,
      ask: { id: 'mock', query: { cursor: 'A'.repeat(43) } },
    },
    { status: 400, what: 'a limit out of bounds', names: /limit/, ask: { id: 'mock', query: { limit: '201' } } },
    {
      status: 200,
      what: 'those of a key that wait for a reason, after some',
      names: /"entries":\[\]/,
      world: 'reject',
      ask: { id: 'mock', key: keys.all, query: { owner: 'data', waits: 'next', offset: '1' } },
    },
    {
      status: 200,
      what: 'those of a session',
      names: /"entries":\[{"state":"queued"[^}]*}[^}]*"session_id":"waiting"/,
      world: 'reject',
      ask: { id: 'mock', query: { session_id: 'waiting' } },
    },
    {
      status: 400,
      what: 'an offset and a cursor',
      names: /query\.offset/,
      world: 'reject',
      ask: async (world) => ({ id: 'mock', query: { offset: '1', cursor: await nextCursor(world) } }),
    },
    { status: 400, what: 'a reason that is none', names: /waits/, ask: { id: 'mock', query: { waits: 'because' } } },
    { status: 403, what: "another key's", names: /query\.owner/, ask: { id: 'mock', query: { owner: 'other' } } },
  ),
  ...casesOf(
    'drainPool',
    { status: 202, what: 'one that is idle', names: /"draining":true/, ask: drain('again') },
    {
      status: 202,
      what: 'one that drains',
      names: /"draining":true/,
      ask: async (world) => (await world.drain('again', 1), drain('again')),
    },
    { status: 202, what: 'with no time', names: /"draining":true/, ask: drain('again', 0) },
    { status: 202, what: 'a bearer key', names: /"draining":true/, ask: { ...drain('again'), bearer: true } },
    { status: 202, what: 'one that is being reloaded', names: /"draining":true/, world: 'reloading', ask: drain('mock') },
    { status: 400, what: 'no deadline', names: /deadline_ms/, ask: { body: {} } },
    { status: 400, what: 'a deadline before now', names: /deadline_ms/, ask: { body: { deadline_ms: -1 } } },
    {
      status: 200,
      what: 'only what it would do',
      names: /"pools":\["held"\],"running":1,"waiting":1,"movable":0,"moves_to":\[\],"late":[01]}/,
      world: 'grouped',
      ask: { ...drain('held'), query: { dry_run: 'true' } },
    },
    { status: 202, what: 'and not only what it would do', ask: { ...drain('again'), query: { dry_run: 'false' } } },
    { status: 400, what: 'a dry run that is none', names: /dry_run/, ask: { ...drain('again'), query: { dry_run: 'maybe' } } },
    noDisk({ id: 'mock' }),
  ),
  ...casesOf(
    'loadPool',
    { status: 202, what: 'one that is loaded', names: /"load_state":"loaded"/, world: 'grouped', ask: { id: 'held' } },
    {
      status: 200,
      what: 'who would make room',
      names: /"pools":\["held"\],"running":1,"waiting":1/,
      world: 'grouped',
      ask: { id: 'asleep', query: { dry_run: 'true' } },
    },
    { status: 202, what: 'one that sleeps', names: /"load_state":"asleep"/, world: 'grouped', ask: { id: 'spare' } },
    { status: 409, what: 'one that nobody loads', names: /is in no group/, ask: { id: 'mock' } },
    { status: 409, what: 'what would happen where nobody loads it', names: /no group/, ask: { id: 'mock', query: { dry_run: 'true' } } },
  ),
  ...casesOf(
    'unloadPool',
    { status: 202, what: 'one that sleeps', names: /"load_state":"asleep"/, world: 'grouped', ask: { id: 'asleep' } },
    {
      status: 200,
      what: 'only what it would do',
      names: /"running":1,"waiting":1,"movable":0/,
      world: 'grouped',
      ask: { id: 'held', query: { dry_run: 'true' } },
    },
    { status: 409, what: 'one that is always loaded', names: /take it out of `pin`/, world: 'grouped', ask: { id: 'pinned' } },
    { status: 409, what: 'one that nobody loads', names: /is in no group/, ask: { id: 'mock' } },
  ),
  ...casesOf(
    'getConfig',
    { status: 200, what: 'what runs', names: /"loaded_at":.*"config":{.*"pools":\[{"id":"mock"/ },
    {
      status: 200,
      what: 'what was refused',
      names: /"refused":{"at":.*"pool_id":"faulty","message":"reload to mock:other failed/,
      ask: async (world) => (await unreloaded(world), {}),
    },
  ),
  ...casesOf(
    'resumePool',
    {
      status: 202,
      what: 'one that drains',
      names: /"draining":false/,
      ask: async (world) => (await world.drain('again'), { id: 'again' }),
    },
    { status: 202, what: 'one that does not', names: /"draining":false/, ask: { id: 'again' } },
    { status: 409, what: 'one whose model nobody registered', names: /No such model/, ask: { id: 'resting' } },
    noDisk({ id: 'mock' }),
  ),
  ...casesOf(
    'reloadPool',
    { status: 202, what: 'the same model', names: /mock:again/, ask: reload('again', 'mock:again') },
    { status: 202, what: 'another model', names: /mock:other/, ask: reload('again', 'mock:other') },
    { status: 400, what: 'no model', names: /model_ref/, ask: { body: {} } },
    { status: 400, what: 'no time', names: /deadline_ms/, ask: { body: { model_ref: 'mock:v2', deadline_ms: 0 } } },
    { status: 400, what: 'a model its driver does not take', names: /model_ref/, ask: reload('again', 'file:models/tinytales.gguf') },
    { status: 409, what: 'one that is being reloaded', names: /A reload/, world: 'reloading', ask: reload('mock', 'mock:other') },
    { status: 409, what: 'a model that does not prove itself', names: /old one serves on/, ask: reload('faulty', 'mock:other') },
    { status: 409, what: 'a model that does not come up', names: /did not come up/, world: 'loading', ask: reload('mock', 'mock:v1') },
    {
      status: 409,
      what: 'a server that loads no other model than the one it was started with',
      names: /loads no other model.*start it with other.*old one serves on/,
      world: 'remote',
      ask: reload('box', 'openai:other'),
    },
    {
      status: 503,
      what: 'a daemon that stops',
      code: 'POOL_UNREADY',
      names: /stopping/,
      world: 'stopping',
      ask: reload('again', 'mock:other'),
    },
  ),
  ...casesOf(
    'createTask',
    { status: 404, what: 'a model nobody serves', names: /mock:v2/, ask: task({ model_ref: 'mock:v2' }) },
    {
      status: 400,
      what: 'a pin to an unknown pool',
      names: /pin_pool_id/,
      ask: task({ placement: { mode: 'pin', pin_pool_id: nobody } }),
    },
    { status: 503, what: 'a pool that is not up', code: 'REPLICA_EXHAUSTED', world: 'loading' },
    { status: 503, what: 'a pool whose engine died', code: 'REPLICA_EXHAUSTED', world: 'dying' },
    {
      status: 503,
      what: 'a pool that drains',
      code: 'POOL_UNREADY',
      names: /drains/,
      ask: async (world) => (await world.drain('drained'), task({ model_ref: 'mock:drained' })),
    },
    {
      status: 503,
      what: 'a pool that rests',
      names: /No such model/,
      ask: task({ engine: 'llamacpp', model_ref: 'catalog:nobody', ctx: 256 }),
    },
    { status: 503, what: 'a daemon that stops', code: 'POOL_UNREADY', names: /stopping/, world: 'stopping' },
  ),
  ...casesOf('streamTask', { status: 200, what: 'one whose pool was drained', ends: 'POOL_UNREADY', ask: drainedAway }),
]

async function unreloaded(world: World): Promise<Ask> {
  await world.must(409, 'POST', '/v1/pools/faulty/reload', { model_ref: 'mock:other' })
  return { id: 'faulty' }
}

/** A task whose pool was drained before it ended. */
async function drainedAway(world: World): Promise<Ask> {
  await world.must(202, 'POST', '/v1/pools/drained/resume')
  const id = await world.task({ model_ref: 'mock:drained' })
  await world.drain('drained', 0)
  await world.clock.advance(1)
  return { id }
}
