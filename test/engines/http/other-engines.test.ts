import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { ollamaDialect } from '../../../src/adapters/engines/ollama/dialect.ts'
import { tgiDialect } from '../../../src/adapters/engines/tgi/dialect.ts'
import { tritonDialect } from '../../../src/adapters/engines/triton/dialect.ts'
import type { Dialect } from '../../../src/adapters/engines/http/dialect.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { conforms } from './conformance.ts'
import { request, type EngineKit } from './engine-bench.ts'
import { asRecorded, EngineServer, recording, type Answer } from './engine-server.ts'

const clock = new FakeClock()
const signal = new AbortController().signal
const nothing = (): void => undefined
const making =
  (dialect: () => Dialect): EngineKit['create'] =>
  (server, given) =>
    new HttpEngine({ ...server, dialect: dialect(), slots: 2, replayable: false, clock: given })
const answering =
  (routes: Readonly<Record<string, Answer | Buffer>>) =>
  (server: EngineServer): void => {
    for (const [route, answer] of Object.entries(routes)) server.on(route, answer)
  }

const ollama: EngineKit = {
  name: 'ollama: chats',
  create: making(() => ollamaDialect('ollama:tinytales', undefined)),
  welcome: answering({
    'GET /api/version': recording('ollama/version'),
    'GET /api/tags': recording('ollama/tags'),
    'GET /api/ps': recording('ollama/ps'),
    'POST /api/generate': recording('ollama/load-only'),
  }),
  route: 'POST /api/chat',
  type: 'application/x-ndjson',
  request: {},
  answer: recording('ollama/chat-stream'),
  text: ' 1, 2, 3.',
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10 },
  noise: '\n',
  error: '{"error":"secret: unexpected EOF"}\n',
  afterError: '',
}
conforms(ollama)
conforms({
  ...ollama,
  name: 'ollama: prompts',
  route: 'POST /api/generate',
  request: { prompt: { text: 'a' } },
  answer: recording('ollama/generate-stop'),
  text: ' Once upon a time there was a curious ',
  result: { finish_reason: 'stop', tokens_in: 13, tokens_out: 14 },
})

const tgiToken = (index: number, text: string, more = 'null,"details":null', special = false): string =>
  `data: ${JSON.stringify({ index, token: { id: index, text, special } }).slice(0, -1)},"generated_text":${more}}\n\n`
const tgiEnd = '" a 🦊, END","details":{"finish_reason":"stop_sequence","generated_tokens":4,"input_length":9,"seed":1}'
const tgi: EngineKit = {
  name: 'tgi: prompts',
  create: making(() => tgiDialect('served:t')),
  welcome: answering({
    'GET /health': (call) => call.json(200, ''),
    'GET /info': (call) =>
      call.json(200, { model_id: 'org/model', version: '3.3.7', max_total_tokens: 2048, max_concurrent_requests: 128 }),
    'POST /tokenize': (call) => call.json(200, [{ id: 1, text: 'a', start: 0, stop: 1 }]),
  }),
  route: 'POST /generate_stream',
  type: 'text/event-stream',
  request: { prompt: { text: 'a' }, sampling: { stop: ['END'], temperature: 0, top_p: 1 } },
  answer: asRecorded(tgiToken(1, ' a') + tgiToken(2, ' 🦊') + tgiToken(3, ', EN') + tgiToken(4, 'D', tgiEnd)),
  text: ' a 🦊, ',
  result: { finish_reason: 'stop', tokens_in: 9, tokens_out: 4 },
  noise: ':\n\n',
  error: 'data: {"error":"secret","error_type":"generation"}\n\n',
  afterError: '',
}
conforms(tgi)

const triton: EngineKit = {
  name: 'triton: prompts',
  create: making(() => tritonDialect('triton:tales', 4096)),
  welcome: answering({
    'GET /v2/health/ready': recording('triton/ready'),
    'GET /v2': recording('triton/server-metadata'),
    'GET /v2/models/tales': recording('triton/model-metadata'),
    'POST /v2/repository/index': (call) => call.json(200, [{ name: 'tales', version: '1', state: 'READY', reason: '' }]),
  }),
  route: 'POST /v2/models/tales/generate_stream',
  type: 'text/event-stream',
  request: { prompt: { text: 'go' }, max_tokens: 14 },
  answer: recording('triton/generate-stream'),
  text: 'Once upon a time there was a patient fox named Nell 🦊 日本 Once',
  endsWithBody: true,
  result: { finish_reason: 'length', tokens_out: 14 },
  noise: ':\n\n',
  error: 'data: {"error":"secret"}\n\n',
  afterError: '',
}
conforms(triton)

/** What an engine was sent for a request, and what it made of the answer. */
async function sent(kit: EngineKit, answer: Buffer, asked = kit.request): Promise<{ body: unknown; parts: Part[]; finish: string }> {
  const server = await EngineServer.start()
  kit.welcome(server)
  const engine = kit.create({ url: server.url, api_key: '' }, clock)
  await engine.start(nothing)
  server.on(kit.route, answer)
  const parts: Part[] = []
  try {
    const { finish_reason } = await engine.generate(request(asked), (part) => void parts.push(part), signal)
    return { body: server.calls.at(-1)?.call.body, parts, finish: finish_reason }
  } finally {
    await engine.stop()
    await server.stop()
  }
}

describe('what the other engines are sent', () => {
  it('ollama: the context is never cut silently, and tools, images and schemas have its own form', async () => {
    const call = {
      model: 'm',
      message: { role: 'assistant', content: '', tool_calls: [{ function: { name: 'w', arguments: { city: 'Oslo' } } }] },
    }
    const answer = asRecorded(`${JSON.stringify({ ...call, done: false })}\n{"done":true,"done_reason":"stop"}\n`, 'application/x-ndjson')
    const tools = [{ type: 'function' as const, function: { name: 'w', parameters: { type: 'object' } } }]
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,QUJD' } }
    const { body, parts, finish } = await sent(ollama, answer, {
      prompt: { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }], tools },
      chat: { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } }, reasoning_effort: 'none' },
    })
    const { truncate, shift, messages, tools: offered, format, think } = body as Record<string, unknown>
    const told = {
      truncate: false,
      shift: false,
      messages: [{ role: 'user', content: 'see', images: ['QUJD'] }],
      format: { type: 'object' },
    }
    assert.deepEqual({ truncate, shift, messages, tools: offered, format, think }, { ...told, tools, think: false })
    const [first] = parts
    assert.ok(first?.kind === 'tool_call')
    assert.deepEqual([first.name, JSON.parse(first.text), finish], ['w', { city: 'Oslo' }, 'tool_calls'])
  })

  it('ollama: a prompt over the context is a refusal, and a runner that dies no end', async () => {
    const prompts = { ...ollama, route: 'POST /api/generate', request: { prompt: { text: 'a' } } }
    await assert.rejects(sent(prompts, recording('ollama/over-context-truncate-false')), { retriable: false, message: /do not fit/ })
    await assert.rejects(sent(prompts, recording('ollama/runner-killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(prompts, recording('ollama/killed-mid-stream')), { retriable: true })
  })

  it('tgi: no value that it takes for an error', async () => {
    const { body } = await sent(tgi, tgi.answer)
    assert.deepEqual(body, { inputs: 'a', parameters: { max_new_tokens: 20, seed: 1, details: true, stop: ['END'], do_sample: false } })
  })

  it('triton: only what the model takes', async () => {
    const { body } = await sent(triton, triton.answer, { ...triton.request, sampling: { temperature: 1, top_p: 0.5 } })
    assert.deepEqual(body, { text_input: 'go', max_tokens: 14, stream: true, seed: 1 })
    await assert.rejects(sent(triton, recording('triton/killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(triton, recording('triton/fail-first')), { retriable: false })
  })
})

describe('what Ollama is sent to load and unload a model', () => {
  it('an empty prompt, and one that is not kept', async () => {
    const server = await EngineServer.start()
    ollama.welcome(server)
    const engine = ollama.create({ url: server.url, api_key: '' }, clock)
    try {
      await engine.start(nothing)
      server.on('POST /api/generate', recording('ollama/load-only'))
      assert.equal(await engine.unload?.(), true)
      const { model, keep_alive, prompt } = server.calls.at(-1)?.call.body ?? {}
      assert.deepEqual([typeof model, keep_alive, prompt], ['string', 0, undefined])
      await assert.rejects(engine.countTokens({ text: 'a' }, signal), { message: 'the engine has unloaded its model', retriable: true })
      await engine.load?.()
      assert.equal(server.calls.at(-1)?.call.body['keep_alive'], undefined)
      assert.ok((await engine.countTokens({ text: 'a' }, signal)) > 0)
    } finally {
      await engine.stop()
      await server.stop()
    }
  })

  it('nothing, where a server holds its model for as long as it runs', async () => {
    const server = await EngineServer.start()
    tgi.welcome(server)
    const engine = tgi.create({ url: server.url, api_key: '' }, clock)
    await engine.start(nothing)
    assert.equal(await engine.unload?.(), false)
    assert.ok((await engine.countTokens({ messages: [{ role: 'user', content: 'a' }] }, signal)) > 0)
    await engine.stop()
    await server.stop()
  })
})
