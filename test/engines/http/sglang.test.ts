import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { sglangDialect } from '../../../src/adapters/engines/sglang/dialect.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { canary, request } from './engine-bench.ts'
import { EngineServer, type Answer } from './engine-server.ts'
import { kits } from './kits.ts'
import { sglangInfo } from './sglang.kit.ts'

describe('sglang', () => {
  let server: EngineServer
  let engine: Engine
  const clock = new FakeClock()
  const signal = new AbortController().signal
  const nothing = (): void => undefined
  const make = (model = 'sglang:org/model', slots = 2): Engine =>
    new HttpEngine({ url: server.url, dialect: sglangDialect(model), slots, replayable: false, clock })
  const json =
    (body: unknown, status = 200): Answer =>
    (call) =>
      call.json(status, body)
  const chat = { messages: [{ role: 'user' as const, content: 'Who are you?' }] }

  beforeEach(async () => {
    server = await EngineServer.start()
    kits.sglangChats.welcome(server)
    engine = make()
  })
  afterEach(async () => {
    await engine.stop()
    await server.stop()
    assert.equal(clock.pending, 0)
  })

  it('tells its version and context, and of its server_info nothing else', async () => {
    const props = await engine.start(nothing)
    assert.deepEqual([props.engine_version, props.ctx_max, props.workloads, props.model], ['0.5.4', 4096, ['completion'], 'org/model'])
    assert.doesNotMatch(JSON.stringify(props), new RegExp(canary))
    assert.equal(props.tokens_estimated, undefined)
    await assert.rejects(make('sglang:other').start(nothing), /the engine does not serve other, and loads no other model/)
    await assert.rejects(make('sglang:org/model', 49).start(nothing), /runs 48 tasks at once, not the 49 of replicas\.slots/)
  })

  it('tells tools and thoughts apart only with the parsers that it was started with', async () => {
    const bare = await engine.start(nothing)
    assert.ok(bare.features.includes('continues') && !bare.features.includes('tools') && !bare.features.includes('reasoning'))
    await engine.stop()
    server.on(
      'GET /server_info',
      json({ ...sglangInfo.server, tool_call_parser: 'qwen25', reasoning_parser: 'qwen3', grammar_backend: 'none' }),
    )
    server.on('GET /model_info', json({ ...sglangInfo.model, has_image_understanding: true }))
    const { features } = await (engine = make()).start(nothing)
    for (const feature of ['tools', 'reasoning', 'images'] as const) assert.ok(features.includes(feature), feature)
    for (const feature of ['continues', 'json_schema', 'audio'] as const) assert.ok(!features.includes(feature), feature)
  })

  it('of a version with the older names, which counts no chats, is asked by those', async () => {
    for (const name of ['model_info', 'server_info'] as const) server.on(`GET /${name}`, json({ detail: 'Not Found' }, 404))
    server.on('GET /get_model_info', json(sglangInfo.model))
    server.on('GET /get_server_info', json(sglangInfo.server))
    server.on('POST /tokenize', (call) =>
      'prompt' in call.body
        ? call.json(200, { tokens: [1, 2], count: 2, max_model_len: 4096 })
        : call.json(400, { object: 'error', message: 'prompt' }),
    )
    const props = await engine.start(nothing)
    assert.deepEqual([props.engine_version, props.tokens_estimated], ['0.5.4', true])
    assert.equal(await engine.countTokens({ text: 'a b' }, signal), 2)
    assert.ok((await engine.countTokens(chat, signal)) > 2)
  })

  it('is asked for an adapter together with its model: it takes its name alone for that of the model', async () => {
    const base = { id: 'org/model', owned_by: 'sglang', root: 'org/model', parent: null, max_model_len: 4096 }
    const adapter = { id: 'sql', owned_by: 'sglang', root: '/adapters/sql', parent: 'org/model', max_model_len: null }
    server.on('GET /v1/models', json({ object: 'list', data: [base, adapter] }))
    engine = make('sglang:sql')
    const { ctx_max, model } = await engine.start(nothing)
    assert.deepEqual([ctx_max, model], [4096, 'org/model:sql'])
    server.on('POST /v1/chat/completions', kits.sglangChats.answer)
    await engine.generate(request({ prompt: chat }), nothing, signal)
    assert.equal(server.calls.at(-1)?.call.body['model'], 'org/model:sql')
  })

  it('of a version before 0.5.3 has no call that counts: prompts are estimated, not refused', async () => {
    server.on('POST /tokenize', json({ detail: 'Not Found' }, 404))
    assert.equal((await engine.start(nothing)).tokens_estimated, true)
    assert.equal(await engine.countTokens({ text: 'Once upon a time' }, signal), 4)
    assert.ok((await engine.countTokens(chat, signal)) > 2)
  })

  it('counts chats by its own tokenizer, and goes on with the words of the assistant', async () => {
    await engine.start(nothing)
    assert.equal(await engine.countTokens(chat, signal), 3)
    assert.deepEqual(server.calls.at(-1)?.call.body, { model: 'org/model', ...chat })
    server.on('POST /v1/chat/completions', kits.sglangChats.answer)
    await engine.generate(request({ prompt: chat, continue_from: 'I am', sampling: { top_k: 0 } }), nothing, signal)
    const { messages, continue_final_message, top_k } = server.calls.at(-1)?.call.body ?? {}
    assert.deepEqual(
      [messages, continue_final_message, top_k],
      [[...chat.messages, { role: 'assistant', content: 'I am' }], true, undefined],
    )
  })

  it('is given sound as a URL, which is the form that it knows', async () => {
    await engine.start(nothing)
    server.on('POST /v1/chat/completions', kits.sglangChats.answer)
    const text = { type: 'text' as const, text: 'What is it?' }
    const sound = { type: 'input_audio' as const, input_audio: { data: 'UklGRg==', format: 'wav' as const } }
    await engine.generate(request({ prompt: { messages: [{ role: 'user', content: [text, sound] }] } }), nothing, signal)
    assert.deepEqual(server.calls.at(-1)?.call.body['messages'], [
      { role: 'user', content: [text, { type: 'audio_url', audio_url: { url: 'data:audio/wav;base64,UklGRg==' } }] },
    ])
  })

  it('warms up, and is waited for; then it is not asked to generate for its health', async () => {
    let asked = 0
    server.on('GET /health', (call) => call.json(asked++ === 0 ? 503 : 200, ''))
    const started = engine.start(nothing)
    await server.until(() => asked === 1)
    for (let i = 0; i < 20; i++) await settled()
    await clock.advance(250)
    await started
    assert.equal(asked, 2)
    const before = server.count('GET /v1/models')
    await clock.advance(2000)
    await server.until(() => server.count('GET /v1/models') > before)
    assert.equal(asked, 2)
  })

  it('is asked again when its queue is full, which it says under 200', async () => {
    await engine.start(nothing)
    server.calls.length = 0
    const full = { error: { object: 'error', message: 'The request queue is full.', type: 'SERVICE_UNAVAILABLE', param: null, code: 503 } }
    server.on('POST /v1/completions', async (call) => {
      await call.stream([`data: ${JSON.stringify(full)}\n\ndata: [DONE]\n\n`])
      await call.endBody()
    })
    const run = engine.generate(request({ prompt: { text: 'a' } }), nothing, signal)
    await server.until(() => server.calls.length === 1)
    for (let i = 0; i < 20; i++) await settled()
    server.on('POST /v1/completions', kits.sglangPrompts.answer)
    await clock.advance(500)
    assert.equal((await run).finish_reason, 'stop')
  })

  it('ranks by a list of its own form where its model does, else it embeds', async () => {
    server.on('GET /model_info', json({ ...sglangInfo.model, is_generation: false }))
    server.on('POST /v1/rerank', json({ object: 'error', message: 'not a cross-encoder', code: 500 }, 500))
    assert.deepEqual((await engine.start(nothing)).workloads, ['embedding'])
    await engine.stop()
    const one = (index: number, score: number): object => ({ score, document: 'd', index, meta_info: { prompt_tokens: 4 } })
    server.on('POST /v1/rerank', (call) => call.json(200, (call.body['documents'] as string[]).map((_, i) => one(i, i / 10)).reverse()))
    engine = make()
    assert.deepEqual((await engine.start(nothing)).workloads, ['rerank'])
    assert.deepEqual(await engine.rerank?.('q', ['a', 'b', 'c'], 1, signal), { scores: [0, 0.1, 0.2], tokens_in: 12 })
  })
})
