import { keys } from '../harness/daemon.ts'
import { nobody, other, type Ask, type Case } from './case.ts'
import type { World } from './worlds.ts'

/** Everything else about tasks. */
export const tasks: readonly Case[] = [
  { op: 'listTasks', status: 200, what: 'all of them', ask: async (world) => (await world.task(), {}) },
  {
    op: 'listTasks',
    status: 200,
    what: 'a page of those that completed',
    ask: async (world) => (await world.finished(), await world.finished(), { query: { state: 'completed', limit: '1' } }),
  },
  { op: 'listTasks', status: 200, what: 'those that wait', world: 'reject', ask: { query: { state: 'queued', session_id: 'waiting' } } },
  { op: 'listTasks', status: 400, what: 'a limit out of bounds', code: 'INVALID_PARAMS', ask: { query: { limit: '0' } } },
  { op: 'listTasks', status: 400, what: 'a state that is none', code: 'INVALID_PARAMS', ask: { query: { state: 'lost' } } },
  { op: 'listTasks', status: 400, what: 'two limits', code: 'INVALID_PARAMS', ask: { query: { limit: ['1', '2'] } } },
  {
    op: 'getTask',
    status: 200,
    what: 'one that completed',
    ask: async (world) => ({ id: (await world.finished({ metadata: { a: 'b' } })).task_id }),
  },
  {
    op: 'getTask',
    status: 200,
    what: 'one with a result',
    ask: async (world) => ({ id: (await world.finished({ prompt: undefined, workload: 'embedding', inputs: ['one'] })).task_id }),
  },
  {
    op: 'getTask',
    status: 200,
    what: 'one that failed',
    world: 'failing',
    ask: async (world) => ({ id: (await world.finished()).task_id }),
  },
  { op: 'getTask', status: 200, what: 'one that waits', world: 'reject', ask: ({ queued }) => ({ id: queued }) },
  { op: 'getTask', status: 200, what: 'one that runs', world: 'reject', ask: ({ running }) => ({ id: running }) },
  { op: 'getTask', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: '-1' } },
  { op: 'getTask', status: 400, what: 'a percent sign and nothing', code: 'INVALID_PARAMS', ask: { id: '%' } },
  { op: 'getTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'getTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  { op: 'streamTask', status: 200, what: 'one that completes', ask: async (world) => ({ id: await world.task() }) },
  { op: 'streamTask', status: 200, what: 'one that has completed', ask: async (world) => ({ id: (await world.finished()).task_id }) },
  {
    op: 'streamTask',
    status: 200,
    what: 'one with a result',
    ask: async (world) => ({ id: await world.task({ workload: 'rerank', inputs: ['one'] }) }),
  },
  { op: 'streamTask', status: 200, what: 'one that fails', world: 'failing', ask: async (world) => ({ id: await world.task() }) },
  { op: 'streamTask', status: 200, what: 'one whose engine died', world: 'dying', ask: ({ ended }) => ({ id: ended }) },
  { op: 'streamTask', status: 200, what: 'the rest, after a token', ask: (world) => resumed(world, 3) },
  { op: 'streamTask', status: 200, what: 'the rest, after started', ask: (world) => resumed(world, 0) },
  {
    op: 'streamTask',
    status: 200,
    what: 'after another text',
    ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': '3-00000000' } }),
  },
  { op: 'streamTask', status: 200, what: 'one that was canceled', ask: async (world) => ({ id: await canceled(world) }) },
  {
    op: 'streamTask',
    status: 200,
    what: 'one that was displaced',
    world: 'dropLru',
    ask: async (world) => ({ id: await displaced(world) }),
  },
  {
    op: 'streamTask',
    status: 204,
    what: 'nothing is left',
    ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': 'end' } }),
  },
  {
    op: 'streamTask',
    status: 400,
    what: 'a Last-Event-ID that is none',
    code: 'INVALID_PARAMS',
    ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': '01-0000000' } }),
  },
  { op: 'streamTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'streamTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  { op: 'cancelTask', status: 204, what: 'one that is on its way', ask: async (world) => ({ id: await world.task() }) },
  { op: 'cancelTask', status: 204, what: 'one that has completed', ask: async (world) => ({ id: (await world.finished()).task_id }) },
  { op: 'cancelTask', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'a b' } },
  { op: 'cancelTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'cancelTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  {
    op: 'cancelTask',
    status: 503,
    what: 'one that waits, and no disk',
    code: 'POOL_UNAVAILABLE',
    world: 'diskless',
    ask: ({ queued }) => ({ id: queued }),
  },
  {
    op: 'cancelTask',
    status: 503,
    what: 'one whose end could not be written',
    code: 'POOL_UNAVAILABLE',
    world: 'diskless',
    ask: ({ running }) => ({ id: running }),
  },
]

async function resumed(world: World, frame: number): Promise<Ask> {
  const { frames, task_id } = await world.finished()
  return { id: task_id, headers: { 'Last-Event-ID': frames[frame]!.id! } }
}

async function canceled(world: World): Promise<string> {
  const id = await world.task({ max_tokens: 8000 })
  await fetch(`${world.daemon.url}/v1/tasks/${id}/cancel`, { method: 'POST', headers: { 'X-API-Key': keys.data } })
  return id
}

async function displaced(world: World): Promise<string> {
  const id = await world.task()
  await world.task()
  return id
}
