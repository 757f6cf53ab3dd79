import assert from 'node:assert/strict'
import { DomainError } from '../../src/domain/errors.ts'
import { anthropicErrors } from '../../src/doors/anthropic/errors.ts'
import { openaiErrors } from '../../src/doors/openai/errors.ts'
import { keys, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'

const headers = { Authorization: `Bearer ${keys.all}`, 'Content-Type': 'application/json' }
const ask = { messages: [{ role: 'user', content: 'a' }] }
const image = 'data:image/png;base64,AA=='
const parameters = { type: 'object', properties: {} }
const called = [{ type: 'function', function: { name: 'f', parameters } }]
const flat = [{ type: 'function', name: 'f', parameters }]
const tool = { name: 'f', input_schema: parameters }
const twice = <T>(one: T): T[] => [one, one]

/** What no engine here can do, in the words of each door. */
const refused: readonly [path: string, body: object, field: string][] = [
  ['/v1/chat/completions', { ...ask, model: 'none' }, 'model'],
  [
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] }] },
    'messages[0].content',
  ],
  ['/v1/chat/completions', { ...ask, logprobs: true }, 'logprobs'],
  ['/v1/chat/completions', { ...ask, tools: twice(called[0]) }, 'tools[1].function.name'],
  ['/v1/chat/completions', { ...ask, logit_bias: { x: 1 } }, 'logit_bias'],
  ['/v1/chat/completions', { ...ask, functions: [{ name: 'f', parameters }] }, 'functions'],
  ['/v1/chat/completions', { ...ask, modalities: ['text', 'audio'] }, 'modalities'],
  ['/v1/responses', { input: 'a', model: 'none' }, 'model'],
  ['/v1/responses', { instructions: 'b', input: [{ role: 'user', content: [{ type: 'input_image', image_url: image }] }] }, 'input'],
  ['/v1/responses', { input: 'a', include: ['message.output_text.logprobs'] }, 'include'],
  ['/v1/responses', { input: 'a', tools: flat }, 'tools'],
  ['/v1/responses', { input: 'a', tools: twice(flat[0]) }, 'tools'],
  ['/v1/responses', { input: 'a', tools: flat, tool_choice: { type: 'function', name: 'g' } }, 'tool_choice.name'],
  ['/v1/messages', { ...ask, max_tokens: 5, model: 'none' }, 'model'],
  ['/v1/messages', { ...ask, max_tokens: 5, tools: twice(tool) }, 'tools[1].name'],
  ['/v1/messages', { ...ask, max_tokens: 5, tools: [tool], tool_choice: { type: 'tool', name: 'g' } }, 'tool_choice.name'],
  [
    '/v1/messages',
    {
      system: 'b',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } }] }],
    },
    'messages',
  ],
  [
    '/v1/messages',
    { system: 'b', max_tokens: 5, messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://a/b' } }] }] },
    'messages[0].content[0].source',
  ],
  ['/v1/embeddings', { input: 'a' }, 'model'],
  ['/v1/rerank', { query: 'a', documents: ['b'] }, 'model'],
]

interface Refusal {
  readonly error: { readonly message: string; readonly param?: string }
}

describe('a refusal at a door', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [talesPool()] })
  })
  after(() => daemon.stop())

  for (const [path, body, field] of refused)
    it(`names ${field} of ${path}, given ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const answer = await fetch(`${daemon.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      const { error } = (await answer.json()) as Refusal
      assert.ok(answer.status === 400 || answer.status === 404, `${answer.status}`)
      assert.ok(error.message.startsWith(`body.${field}: `), error.message)
      if (error.param !== undefined) assert.equal(error.param, field)
    })

  it('names the header that a field came in', () => {
    const late = new DomainError('deadline_unmet', 'body.deadline_ms: too soon')
    const message = 'header.X-Orchd-Deadline-Ms: too soon'
    const { error } = openaiErrors.body(late, { status: 400 })
    assert.deepEqual([error.message, error.param], [message, null])
    assert.equal(anthropicErrors.body(late, { status: 400, correlation_id: '' }).error.message, message)
  })

  for (const [path, more, shape] of [
    ['/v1/audio/speech', {}, 'openai'],
    ['/v1/chat/nothing', {}, 'openai'],
    ['/v1/responses/a/b', {}, 'openai'],
    ['/v1/messages/batches', {}, 'anthropic'],
    ['/v1/nothing', { 'anthropic-version': '2023-06-01' }, 'anthropic'],
    ['/chat/completions', {}, 'openai'],
    ['/v1/v1/messages', {}, 'anthropic'],
    ['/models', { 'anthropic-version': '2023-06-01' }, 'anthropic'],
    ['/v1/v1/nothing', {}, 'openai'],
    ['/v1/tasks/a/b', {}, 'native'],
    ['/tasks', {}, 'native'],
    ['/nothing', {}, 'native'],
  ] as const)
    it(`has the shape of ${shape} where there is no ${path}`, async () => {
      const answer = await fetch(`${daemon.url}${path}`, { headers: { ...headers, ...more } })
      const body = (await answer.json()) as { code?: string; type?: string; error?: { type: string; code?: string } }
      assert.equal(answer.status, 404)
      if (shape === 'native') assert.equal(body.code, 'NOT_FOUND')
      else if (shape === 'anthropic') assert.deepEqual([body.type, body.error?.type], ['error', 'not_found_error'])
      else assert.deepEqual([body.error?.type, body.error?.code], ['invalid_request_error', 'route_not_found'])
    })
})
