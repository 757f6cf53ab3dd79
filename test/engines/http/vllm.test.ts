import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { vllmDialect } from '../../../src/adapters/engines/vllm/dialect.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { request } from './engine-bench.ts'
import { EngineServer, recording } from './engine-server.ts'
import { kits } from './kits.ts'

describe('vllm', () => {
  let server: EngineServer
  let engine: Engine
  const clock = new FakeClock()
  const signal = new AbortController().signal
  const nothing = (): void => undefined
  const make = (model = 'hf:tinytales'): Engine =>
    new HttpEngine({ url: server.url, dialect: vllmDialect(model, ['images']), slots: 2, replayable: false, clock })

  beforeEach(async () => {
    server = await EngineServer.start()
    kits.vllmChats.welcome(server)
    engine = make()
  })
  afterEach(async () => {
    await engine.stop()
    await server.stop()
    assert.equal(clock.pending, 0)
  })

  it('tells its version, context, and what it was started for', async () => {
    const props = await engine.start(nothing)
    assert.deepEqual([props.engine_version, props.ctx_max, props.workloads], ['0.32.0', 256, ['completion']])
    assert.ok(props.features.includes('chat_template') && props.features.includes('images') && !props.features.includes('tools'))
    await assert.rejects(
      make('hf:org/other').start(nothing),
      /^EngineError: the engine does not serve org\/other, and loads no other model than the one it was started with: start it with org\/other, /,
    )
  })

  it('has an adapter with the context of its model, which alone tells it', async () => {
    const base = { id: 'org/base', owned_by: 'vllm', root: 'org/base', parent: null, max_model_len: 8192 }
    const adapter = { id: 'sql', owned_by: 'vllm', root: '/adapters/sql', parent: 'org/base', max_model_len: null }
    server.on('GET /v1/models', (call) => call.json(200, { object: 'list', data: [base, adapter] }))
    engine = make('vllm:sql')
    const { ctx_max, model } = await engine.start(nothing)
    assert.deepEqual([ctx_max, model], [8192, 'sql'])
  })

  it('counts by its own tokenizer, template included', async () => {
    await engine.start(nothing)
    assert.equal(await engine.countTokens({ messages: [{ role: 'user', content: 'Who are you?' }] }, signal), 9)
    assert.deepEqual(server.calls.at(-1)?.call.body, { model: 'tinytales', messages: [{ role: 'user', content: 'Who are you?' }] })
  })

  it('is told what the assistant thought by the name that it reads, when it counts and when it answers', async () => {
    await engine.start(nothing)
    const thought = { role: 'assistant' as const, content: 'Hm.', reasoning_content: 'why' }
    const messages = [{ role: 'user' as const, content: 'a' }, thought, { role: 'user' as const, content: 'b' }]
    const told = [messages[0], { ...thought, reasoning: 'why' }, messages[2]]
    await engine.countTokens({ messages }, signal)
    assert.deepEqual(server.calls.at(-1)?.call.body['messages'], told)
    server.on('POST /v1/chat/completions', recording('vllm/chat-stream'))
    await engine.generate(request({ prompt: { messages } }), nothing, signal)
    assert.deepEqual(server.calls.at(-1)?.call.body['messages'], told)
  })

  it('tells how full its cache is by either name, and of all its engines', async () => {
    await engine.start(nothing)
    for (const name of ['kv_cache_usage_perc', 'gpu_cache_usage_perc']) {
      const share = name.length / 100
      server.on('GET /metrics', (call) => call.json(200, `vllm:${name}{engine="0"} 0\nvllm:${name}{engine="1"} ${2 * share}\n`))
      while (engine.kvUsage?.() !== share) await settled()
    }
  })

  it('is asked again when it is overloaded, which it says under 200', async () => {
    await engine.start(nothing)
    server.calls.length = 0
    server.on('POST /v1/completions', recording('vllm/overloaded-stream'))
    let text = ''
    const run = engine.generate(request({ prompt: { text: 'a' } }), (part) => void (text += part.text), signal)
    await server.until(() => server.calls.length === 1)
    for (let i = 0; i < 20; i++) await settled()
    server.on('POST /v1/completions', recording('vllm/completions-stream'))
    await clock.advance(500)
    assert.equal((await run).finish_reason, 'length')
    assert.equal(text, ' there was a quick f')
  })

  for (const name of ['engine-core-killed-mid-stream', 'killed-mid-stream'])
    it(`${name} is no end`, async () => {
      await engine.start(nothing)
      server.on('POST /v1/completions', recording(`vllm/${name}`))
      await assert.rejects(engine.generate(request({ prompt: { text: 'a' } }), nothing, signal), { name: 'EngineError', retriable: true })
    })

  it('calls the tool that it has to call', async () => {
    await engine.start(nothing)
    server.on('POST /v1/chat/completions', recording('vllm/chat-tools-named-stream'))
    const names: (string | undefined)[] = []
    const onPart = (part: { readonly kind: string; readonly name?: string }): void => void names.push(part.kind, part.name)
    const result = await engine.generate(request(), onPart, signal)
    assert.deepEqual(names.slice(0, 2), ['tool_call', 'w'])
    assert.equal(result.finish_reason, 'length')
  })
})
