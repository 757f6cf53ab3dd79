import { keys, mockTask } from '../harness/daemon.ts'
import { casesOf, noDisk, other, task, type Ask, type Case } from './case.ts'
import type { World } from './world.ts'

const queued = ({ queuedTask: id }: World): Ask => ({ id })
const running = ({ runningTask: id }: World): Ask => ({ id })
const accepted = async (world: World): Promise<Ask> => ({ id: await world.task() })
const strange = async (world: World): Promise<Ask> => ({ id: await world.task(), ...other })
const finished = async (world: World): Promise<Ask> => ({ id: (await world.finished()).task_id })
const atOnce = { headers: { Accept: 'text/event-stream' } }
const after = (id: string) => async (world: World) => ({ id: await world.task(), headers: { 'Last-Event-ID': id } })

/** Cases of tasks, but for those that depend on budgets or the state of a pool. */
export const tasks: readonly Case[] = [
  ...casesOf(
    'createTask',
    { status: 202, what: 'a prompt' },
    { status: 202, what: 'a bearer key', ask: { bearer: true } },
    { status: 202, what: 'a conversation', ask: task({ prompt: undefined, messages: [{ role: 'user', content: 'Hello' }] }) },
    { status: 202, what: 'an embedding', ask: task({ prompt: undefined, workload: 'embedding', inputs: ['one', 'two'] }) },
    { status: 202, what: 'a reranking', ask: task({ workload: 'rerank', inputs: ['one', 'two'] }) },
    { status: 202, what: 'a task again', ask: taskAgain },
    { status: 202, what: "another key's id", ask: async (world) => task({ task_id: await world.task() }, keys.other) },
    { status: 202, what: 'a full queue that drops', world: 'dropLru' },
    { status: 202, what: 'nothing but a prompt', world: 'single', ask: { body: { prompt: 'Hello' } } },
    { status: 202, what: 'nothing but a conversation', world: 'single', ask: { body: { messages: [{ role: 'user', content: 'Hello' }] } } },
    { status: 202, what: 'nothing but inputs', world: 'single', ask: { body: { inputs: ['one', 'two'] } } },
    { status: 202, what: 'nothing but a query and inputs', world: 'single', ask: { body: { prompt: 'one', inputs: ['one', 'two'] } } },
    { status: 202, what: 'a model and a prompt', ask: { body: { model_ref: 'mock:v1', prompt: 'Hello' } } },
    { status: 202, what: 'the priority its key may have', ask: task({ priority: undefined }, 'modest') },
    { status: 202, what: 'the stream not at once', ask: { headers: { Accept: 'application/json, text/event-stream;q=0' } } },
    { status: 200, what: 'the stream at once', ends: 'end', ask: atOnce },
    {
      status: 200,
      what: 'the stream of little',
      names: /event: token/,
      ends: 'end',
      world: 'single',
      ask: { ...atOnce, body: { prompt: 'Hello' } },
    },
    {
      status: 200,
      what: 'the stream of one that has ended',
      ends: 'end',
      ask: async (world) => ({ ...(await taskAgain(world)), ...atOnce }),
    },
    { status: 200, what: 'the stream of one that fails', ends: 'WORKER_RESET', world: 'failing', ask: atOnce },
    { status: 400, what: 'no model where several are served', names: /model_ref.*mock:v1, mock:slow/, ask: task({ model_ref: undefined }) },
    { status: 400, what: 'nothing at all', names: /prompt, messages or inputs/, world: 'single', ask: { body: {} } },
    {
      status: 400,
      what: 'a prompt without room for an answer',
      names: /body\.prompt: .*shorten/,
      ask: { body: { model_ref: 'mock:tiny', prompt: 'one two three four five six seven eight' } },
    },
    { status: 400, what: 'the stream of more than the context', names: /ctx/, ask: { ...task({ ctx: 8193 }), ...atOnce } },
    { status: 429, what: 'the stream of one too many', policy: 'reject', world: 'reject', ask: atOnce },
    { status: 400, what: 'a number as text', names: /max_tokens/, ask: task({ max_tokens: '5' }) },
    { status: 400, what: 'a task as text in JSON', names: /object/, ask: { body: JSON.stringify(JSON.stringify(mockTask())) } },
    { status: 400, what: 'half of a surrogate pair', names: /surrogate/, ask: task({ prompt: '\ud83e' }) },
    { status: 400, what: 'neither prompt nor messages', names: /prompt/, ask: task({ prompt: undefined }) },
    { status: 400, what: 'more than the context', names: /ctx/, ask: task({ ctx: 8193 }) },
    {
      status: 400,
      what: 'a deadline that cannot be met',
      code: 'DEADLINE_UNMET',
      names: /deadline_ms/,
      world: 'learned',
      ask: task({ deadline_ms: 1 }),
    },
    { status: 403, what: 'a priority its key may not ask for', names: /priority/, ask: task({}, 'modest') },
    { status: 409, what: 'the same id, another body', names: /task_id/, ask: async (world) => task({ task_id: await world.task() }) },
    {
      status: 409,
      what: 'a finished id, another body',
      names: /task_id/,
      ask: async (world) => task({ task_id: (await world.finished()).task_id }),
    },
    {
      status: 415,
      what: 'an unknown charset',
      names: /charset/,
      ask: { headers: { 'Content-Type': 'application/json; charset=klingon' } },
    },
    { status: 415, what: 'an unknown encoding', names: /encoding/, ask: { headers: { 'Content-Encoding': 'zip' } } },
    { status: 429, what: 'a full queue that refuses', policy: 'reject', world: 'reject' },
    {
      status: 429,
      what: 'a full queue that drops, and nothing below',
      code: 'QUEUE_FULL_DROP_LRU',
      policy: 'drop-lru',
      world: 'dropLru',
      ask: task({ priority: 'batch' }),
    },
    {
      status: 429,
      what: 'more requests than its key may make',
      policy: 'rate-limit',
      names: /minute/,
      ask: async (world) => (await world.task({}, 'brisk'), task({}, 'brisk')),
    },
    { status: 429, what: 'more than its key may have waiting', policy: 'rate-limit', names: /waiting/, ask: waiting },
  ),
  ...casesOf(
    'listTasks',
    noDisk(),
    { status: 200, what: 'all of them', names: /"task_id"/, ask: async (world) => (await world.task(), {}) },
    {
      status: 200,
      what: 'a page of those that completed',
      names: /"next_cursor"/,
      ask: async (world) => (await world.finished(), await world.finished(), { query: { state: 'completed', limit: '1' } }),
    },
    {
      status: 200,
      what: 'those that wait',
      names: /"queued"/,
      world: 'reject',
      ask: { query: { state: 'queued', session_id: 'waiting' } },
    },
    {
      status: 200,
      what: 'those of a pool that ended so, since then, whose id begins so',
      names: /^{"tasks":\[{[^{]*"state":"canceled"/,
      ask: async (world) => {
        const task_id = await world.task({ model_ref: 'mock:slow' })
        await world.must(204, 'POST', `/v1/tasks/${task_id}/cancel`, undefined, keys.data)
        const times = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
        return { query: { pool_id: 'slow', code: 'CANCELED', task_id: task_id.slice(0, -1), ...times } }
      },
    },
    { status: 400, what: 'a time that is none', names: /from/, ask: { query: { from: 'yesterday' } } },
    { status: 400, what: 'a leap second', names: /query\.to: must be a point in time/, ask: { query: { to: '2016-12-31T23:59:60Z' } } },
    { status: 400, what: 'a code that is none', names: /code/, ask: { query: { code: 'OOPS' } } },
    { status: 400, what: 'a limit out of bounds', names: /limit/, ask: { query: { limit: '0' } } },
    { status: 400, what: 'a state that is none', names: /state/, ask: { query: { state: 'lost' } } },
    { status: 400, what: 'two limits', names: /limit/, ask: { query: { limit: ['1', '2'] } } },
  ),
  ...casesOf(
    'getTask',
    noDisk({ id: 'unknown' }),
    {
      status: 200,
      what: 'one that completed',
      names: /"metadata":{"a":"b"}/,
      ask: async (world) => ({ id: (await world.finished({ metadata: { a: 'b' } })).task_id }),
    },
    {
      status: 200,
      what: 'one with a result',
      names: /"result_artifact_id"/,
      ask: async (world) => ({ id: (await world.finished({ prompt: undefined, workload: 'embedding', inputs: ['one'] })).task_id }),
    },
    { status: 200, what: 'one that failed', names: /"failed"/, world: 'failing', ask: finished },
    { status: 200, what: 'one that waits', names: /"queued"/, world: 'reject', ask: queued },
    { status: 200, what: 'one that runs', names: /"running"/, world: 'reject', ask: running },
    { status: 400, what: 'a percent sign and nothing', names: /%/, ask: { id: '%' } },
    { status: 404, what: "another key's", ask: strange },
  ),
  ...casesOf(
    'streamTask',
    noDisk({ id: 'unknown' }),
    { status: 200, what: 'one that completes', ends: 'end', ask: accepted },
    { status: 200, what: 'one that has completed', ends: 'end', ask: finished },
    {
      status: 200,
      what: 'one with a result',
      names: /"result_artifact_id"/,
      ends: 'end',
      ask: async (world) => ({ id: await world.task({ workload: 'rerank', inputs: ['one'] }) }),
    },
    { status: 200, what: 'one that fails', ends: 'WORKER_RESET', world: 'failing', ask: accepted },
    { status: 200, what: 'one whose engine died', ends: 'WORKER_RESET', world: 'dying', ask: ({ endedTask: id }) => ({ id }) },
    { status: 200, what: 'the rest, after a token', ends: 'end', ask: (world) => resumed(world, 3) },
    { status: 200, what: 'the rest, after started', ends: 'end', ask: (world) => resumed(world, 0) },
    { status: 200, what: 'after another text', ends: 'WORKER_RESET', ask: after('3-00000000') },
    { status: 200, what: 'one that was canceled', ends: 'CANCELED', ask: canceled },
    { status: 200, what: 'one that was displaced', ends: 'QUEUE_FULL_DROP_LRU', world: 'dropLru', ask: displaced },
    { status: 204, what: 'nothing is left', ask: after('end') },
    { status: 400, what: 'a Last-Event-ID that is none', names: /last-event-id/, ask: after('01-0000000') },
    { status: 404, what: "another key's", ask: strange },
  ),
  ...casesOf(
    'cancelTask',
    { status: 204, what: 'one that is on its way', ask: async (world) => ({ id: await world.task({ model_ref: 'mock:slow' }) }) },
    { status: 204, what: 'one that has completed', ask: finished },
    { status: 404, what: "another key's", ask: strange },
    { ...noDisk(), what: 'one that waits, and no disk', ask: queued },
    { ...noDisk(), what: 'one whose end could not be written', ask: running },
  ),
]

async function taskAgain(world: World): Promise<Ask> {
  const body = mockTask()
  await world.must(202, 'POST', '/v1/tasks', body, keys.data)
  return { body }
}

/** One task of the key runs and one waits, which is as many as may. */
async function waiting(world: World): Promise<Ask> {
  for (let i = 0; i < 2; i++) await world.task({ model_ref: 'mock:one' }, 'waiter')
  return task({ model_ref: 'mock:one' }, 'waiter')
}

async function resumed(world: World, frame: number): Promise<Ask> {
  const { frames, task_id } = await world.finished()
  return { id: task_id, headers: { 'Last-Event-ID': frames[frame]!.id! } }
}

async function canceled(world: World): Promise<Ask> {
  const id = await world.task({ model_ref: 'mock:slow' })
  await world.must(204, 'POST', `/v1/tasks/${id}/cancel`, undefined, keys.data)
  return { id }
}

async function displaced(world: World): Promise<Ask> {
  const id = await world.task()
  await world.task()
  return { id }
}
