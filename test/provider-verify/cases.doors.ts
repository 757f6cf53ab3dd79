import { doorOperations } from '../../generated/doors.ts'
import { keys } from '../harness/daemon.ts'
import type { Ask } from './case.ts'
import type { DoorCase, DoorOp } from './door-case.ts'
import { batchCases, batchOps } from './cases.batches.ts'
import { type World } from './world.ts'
import { bounds } from './worlds.ts'

export const doorOps = Object.keys(doorOperations) as DoorOp[]
const generating: readonly DoorOp[] = ['createChatCompletion', 'createCompletion', 'createMessage', 'createResponse']

const messages = [{ role: 'user', content: 'Hello' }]
const bodies: Partial<Readonly<Record<DoorOp, Readonly<Record<string, unknown>>>>> = {
  createChatCompletion: { messages },
  createCompletion: { prompt: 'Once upon a time' },
  createEmbedding: { input: ['one', 'two'] },
  createResponse: { input: 'Hello' },
  createRerank: { query: 'one', documents: ['one', { text: 'two' }] },
  createMessage: { messages, max_tokens: 16 },
  countMessageTokens: { messages },
}

/** A body that is as it should be; `fields` replace its own. */
export const doorBody = (op: DoorOp, fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  model: 'mock:v1',
  ...bodies[op],
  ...fields,
})

const tool = { name: 'read', parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] } }

/** Answers that have more than text in them. */
const rich: readonly DoorCase[] = [
  ...cases('createChatCompletion', 200, {
    'a tool is called': { tools: [{ type: 'function', function: tool }], tool_choice: 'required', seed: 11 },
    'it thinks first': { reasoning_effort: 'minimal' },
    'how likely tokens were': { logprobs: true, top_logprobs: 2 },
    'JSON as an object': { response_format: { type: 'json_object' }, max_tokens: 400 },
  }),
  ...cases('createMessage', 200, {
    'a tool is called': { tools: [{ name: 'read', input_schema: tool.parameters }], tool_choice: { type: 'any' } },
    'it thinks first': { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 100 },
  }),
  ...cases('createEmbedding', 200, { 'vectors as base64': { encoding_format: 'base64' } }),
  ...cases('createRerank', 200, { 'with their documents': { return_documents: true, top_n: 1 } }),
]

function cases(op: DoorOp, status: number, given: Readonly<Record<string, Readonly<Record<string, unknown>>>>): DoorCase[] {
  return Object.entries(given).flatMap(([what, fields]): DoorCase[] => [
    { op, status, what, ask: { body: doorBody(op, fields) } },
    ...(generating.includes(op)
      ? [{ op, status, what: `${what}, streamed`, ask: { body: doorBody(op, { ...fields, stream: true }) } }]
      : []),
  ])
}

const retired =
  (op: DoorOp) =>
  async (world: World): Promise<Ask> => {
    const id = await world.model()
    await world.must(202, 'POST', `/v1/catalog/models/${id}/state`, { state: 'Retired' })
    return { body: doorBody(op, { model: `catalog:${id}` }) }
  }

/** Parameters of stored responses that are none. */
const bad = { limit: 'many', starting_after: 'then' }

/** A response that is stored, and who asks for it. */
const storedResponse =
  (query: Readonly<Record<string, string>> = {}) =>
  async (world: World): Promise<Ask> => {
    const { id } = await world.must(200, 'POST', '/v1/responses', doorBody('createResponse'), keys.data)
    return { id: String(id), query }
  }

/** The one that was stored while there was a disk. */
const storedBefore = (world: World): Ask => ({ id: world.storedResponse })

/** What every operation of a door answers in the same way. */
const shared: readonly DoorCase[] = doorOps
  .filter((op) => !batchOps.includes(op))
  .flatMap((op): DoorCase[] => {
    const { body, path, statuses } = doorOperations[op]
    const declares = (status: number): boolean => (statuses as readonly number[]).includes(status)
    const stored = path.includes('{response_id}')
    const made: Omit<DoorCase, 'op'>[] = [
      { status: 200, what: 'all is well', ask: stored ? storedResponse() : {} },
      { status: 200, what: 'an unknown query parameter', ask: stored ? storedResponse({ beta: 'true' }) : { query: { beta: 'true' } } },
      { status: 401, what: 'no key', names: /Send a key/, ask: { key: null } },
      { status: 401, what: 'a wrong key', names: /wrong/, ask: { key: 'wrong' } },
      { status: 401, what: 'a wrong bearer key', names: /wrong/, ask: { key: 'wrong', bearer: true } },
      { status: 403, what: 'a key without the role', names: /data/, ask: { key: keys.control } },
      { status: 500, what: 'what nobody foresaw', names: /log has it/, world: 'broken' },
    ]
    if (path.includes('{model}')) made.push({ status: 404, what: 'an unknown model', names: /nothing/, ask: { id: 'nothing' } })
    if (stored) made.push({ status: 404, what: 'an unknown one', names: /There is no resp_nothing/, ask: { id: 'resp_nothing' } })
    if (stored && declares(400))
      made.push({ status: 400, what: 'a parameter that is none', names: /limit|starting_after/, ask: { id: 'resp_x', query: bad } })
    // What runs is read from memory.
    const unread = op === 'getResponse' || op === 'listInputItems' ? { id: 'resp_nothing' } : storedBefore
    if (stored && declares(503)) made.push({ status: 503, what: 'no disk', names: /durable/, world: 'diskless', ask: unread })
    if (!body) return made.map((one) => ({ op, ...one }))
    made.push(
      { status: 200, what: 'an unknown field', ask: { body: doorBody(op, { surprise: 1, user: null }) } },
      { status: 400, what: 'no body', names: /needs a JSON body/, ask: { body: '' } },
      { status: 400, what: 'half a body', names: /JSON/, ask: { body: '{"model":' } },
      { status: 400, what: 'a list', names: /object/, ask: { body: '[]' } },
      { status: 400, what: 'nothing in it', names: /messages|prompt|input|query/, ask: { body: {} } },
      { status: 404, what: 'an unknown model', names: /mock:nothing/, ask: { body: doorBody(op, { model: 'mock:nothing' }) } },
      { status: 409, what: 'a model that is retired', names: /retired/, ask: retired(op) },
      { status: 413, what: 'a large body', names: /body_bytes/, ask: { body: JSON.stringify(doorBody(op)).padEnd(bounds.body_bytes + 1) } },
      { status: 415, what: 'text', names: /application\/json/, ask: { headers: { 'Content-Type': 'text/plain' } } },
    )
    if (declares(429))
      made.push(
        { status: 429, what: 'a full queue', names: /queue/, world: 'reject' },
        {
          status: 429,
          what: 'more than its key may ask for',
          names: /minute/,
          ask: async (w) => (await w.task({}, 'brisk').catch(() => ''), { key: 'brisk' }),
        },
        {
          status: 403,
          what: 'a budget that is exhausted',
          names: /budget/,
          ask: async (world) => ({ headers: { 'X-Orchd-Session': await world.session({ tokens: 1 }) } }),
        },
        { status: 503, what: 'the daemon stops', names: /stopping/, world: 'stopping' },
      )
    else made.push({ status: 200, what: 'no engine is up', names: /input_tokens/, world: 'loading' })
    return made.map((one) => ({ op, ...one }))
  })

/** What the ones that write text answer. */
const written: readonly DoorCase[] = generating.flatMap((op): DoorCase[] => [
  { op, status: 200, what: 'streamed', ask: { body: doorBody(op, { stream: true }) } },
  { op, status: 200, what: 'streamed, with usage', ask: { body: doorBody(op, { stream: true, stream_options: { include_usage: true } }) } },
  {
    op,
    status: 200,
    what: 'a stream that fails',
    names: op === 'createResponse' ? /response\.failed/ : /server error, overloaded/,
    world: 'failing',
    ask: rested({ body: doorBody(op, { stream: true }) }),
  },
  { op, status: 503, what: 'an answer that fails', world: 'failing', ask: rested({}) },
  {
    op,
    status: 400,
    what: 'a prompt that is too long',
    names: /maximum/,
    ask: { body: doorBody(op, { model: 'mock:tiny', ...long(op) }) },
  },
])

/** A replica whose tasks have failed is left alone for a while. */
function rested(ask: Ask): (world: World) => Promise<Ask> {
  return async (world) => {
    await world.clock.advance(60_000)
    return ask
  }
}

function long(op: DoorOp): Readonly<Record<string, unknown>> {
  const text = 'Once upon a time there was a fox and it was the best of all foxes'
  if (op === 'createCompletion') return { prompt: text }
  return op === 'createResponse' ? { input: text } : { messages: [{ role: 'user', content: text }] }
}

/** Every case of the doors. */
export const doorCases: readonly DoorCase[] = [...shared, ...rich, ...written, ...batchCases]
