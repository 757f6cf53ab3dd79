import { mockTask } from '../harness/daemon.ts'
import { nobody, other, task, type Ask, type Case } from './case.ts'
import { limits, type World } from './worlds.ts'

/** POST /v1/tasks */
export const creating: readonly Case[] = [
  { op: 'createTask', status: 202, what: 'a prompt' },
  { op: 'createTask', status: 202, what: 'a bearer key', ask: { bearer: true } },
  {
    op: 'createTask',
    status: 202,
    what: 'a conversation',
    ask: task({ prompt: undefined, messages: [{ role: 'user', content: 'Hello' }] }),
  },
  { op: 'createTask', status: 202, what: 'an embedding', ask: task({ prompt: undefined, workload: 'embedding', inputs: ['one', 'two'] }) },
  { op: 'createTask', status: 202, what: 'a reranking', ask: task({ workload: 'rerank', inputs: ['one', 'two'] }) },
  {
    op: 'createTask',
    status: 202,
    what: 'a task again',
    ask: async (world) => task({ task_id: await world.task({ seed: 1, session_id: 'again' }), seed: 1, session_id: 'again' }),
  },
  {
    op: 'createTask',
    status: 202,
    what: "another key's id",
    ask: async (world) => ({ ...task({ task_id: await world.task() }), ...other }),
  },
  { op: 'createTask', status: 202, what: 'a full queue that drops', world: 'dropLru' },
  { op: 'createTask', status: 400, what: 'a field missing', code: 'INVALID_PARAMS', ask: task({ max_tokens: undefined }) },
  { op: 'createTask', status: 400, what: 'an unknown field', code: 'INVALID_PARAMS', ask: task({ surprise: 1 }) },
  { op: 'createTask', status: 400, what: 'a number as text', code: 'INVALID_PARAMS', ask: task({ max_tokens: '5' }) },
  { op: 'createTask', status: 400, what: 'no body', code: 'INVALID_PARAMS', ask: { body: '' } },
  { op: 'createTask', status: 400, what: 'half a body', code: 'INVALID_PARAMS', ask: { body: '{"task_id":' } },
  { op: 'createTask', status: 400, what: 'null', code: 'INVALID_PARAMS', ask: { body: 'null' } },
  {
    op: 'createTask',
    status: 400,
    what: 'a task as text in JSON',
    code: 'INVALID_PARAMS',
    ask: () => ({ body: JSON.stringify(JSON.stringify(mockTask())) }),
  },
  { op: 'createTask', status: 400, what: 'half of a surrogate pair', code: 'INVALID_PARAMS', ask: task({ prompt: '\ud83e' }) },
  { op: 'createTask', status: 400, what: 'neither prompt nor messages', code: 'INVALID_PARAMS', ask: task({ prompt: undefined }) },
  { op: 'createTask', status: 400, what: 'more than the context', code: 'INVALID_PARAMS', ask: task({ ctx: 8193 }) },
  {
    op: 'createTask',
    status: 400,
    what: 'a pin to an unknown pool',
    code: 'INVALID_PARAMS',
    ask: task({ placement: { mode: 'pin', pin_pool_id: nobody } }),
  },
  {
    op: 'createTask',
    status: 400,
    what: 'a deadline that cannot be met',
    code: 'DEADLINE_UNMET',
    world: 'learned',
    ask: task({ deadline_ms: 1 }),
  },
  { op: 'createTask', status: 403, what: 'no turns left', code: 'BUDGET_EXHAUSTED', ask: exhausted },
  { op: 'createTask', status: 404, what: 'a model nobody serves', code: 'NOT_FOUND', ask: task({ model_ref: 'mock:v2' }) },
  {
    op: 'createTask',
    status: 409,
    what: 'the same id, another body',
    code: 'CONFLICT',
    ask: async (world) => task({ task_id: await world.task() }),
  },
  {
    op: 'createTask',
    status: 409,
    what: 'a finished id, another body',
    code: 'CONFLICT',
    ask: async (world) => task({ task_id: (await world.finished()).task_id }),
  },
  { op: 'createTask', status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: task({ prompt: 'x'.repeat(limits.body_bytes) }) },
  { op: 'createTask', status: 415, what: 'text', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'text/plain' } } },
  {
    op: 'createTask',
    status: 415,
    what: 'an unknown charset',
    code: 'INVALID_PARAMS',
    ask: { headers: { 'Content-Type': 'application/json; charset=klingon' } },
  },
  { op: 'createTask', status: 415, what: 'an unknown encoding', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Encoding': 'zip' } } },
  { op: 'createTask', status: 429, what: 'a full queue that refuses', code: 'ADMISSION_REJECT', world: 'reject' },
  {
    op: 'createTask',
    status: 429,
    what: 'a full queue that drops, and nothing below',
    code: 'QUEUE_FULL_DROP_LRU',
    world: 'dropLru',
    ask: task({ priority: 'batch' }),
  },
  { op: 'createTask', status: 503, what: 'a pool that is not up', code: 'REPLICA_EXHAUSTED', world: 'loading' },
  { op: 'createTask', status: 503, what: 'a pool whose engine died', code: 'REPLICA_EXHAUSTED', world: 'dying' },
  { op: 'createTask', status: 503, what: 'a daemon that stops', code: 'POOL_UNREADY', world: 'stopping' },
]

async function exhausted(world: World): Promise<Ask> {
  for (let turn = 0; turn < limits.max_turns; turn++) await world.session('spent')
  return task({ session_id: 'spent' })
}
