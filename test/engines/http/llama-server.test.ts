import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { inTime } from '../../harness/wait.ts'
import { request } from './engine-bench.ts'
import { bodyOf, EngineServer, recording } from './engine-server.ts'
import { kits } from './kits.ts'
import { halfOf } from './misbehaviours.ts'

describe('llama-server', () => {
  let server: EngineServer
  let engine: Engine
  const clock = new FakeClock()
  const signal = new AbortController().signal
  const make = (slots = 2, model = 'served:box'): Engine =>
    new HttpEngine({ url: server.url, dialect: llamaServerDialect(model), slots, replayable: false, clock })
  const nothing = (): void => undefined

  beforeEach(async () => {
    server = await EngineServer.start()
    kits.llamaPrompts.welcome(server)
    engine = make()
  })
  afterEach(async () => {
    await engine.stop()
    await server.stop()
    assert.equal(clock.pending, 0)
  })

  it('tells its version, context, features and what it was started for', async () => {
    const props = await engine.start(nothing)
    assert.deepEqual(
      [props.engine_version, props.ctx_max, props.slots, props.workloads, props.replayable],
      ['b11669-Debian', 256, 2, ['completion'], false],
    )
    assert.equal(props.model, 'tinytales', 'what the pool answers to as well')
    assert.ok(props.features.includes('chat_template'))
    assert.ok(!props.features.includes('tools'))
  })

  it('has a version that fits into an answer of ours, whatever it says', async () => {
    server.on('GET /props', (call) =>
      call.json(200, { build_info: `b1\n${'x'.repeat(300)}`, total_slots: 2, default_generation_settings: { n_ctx: 256 } }),
    )
    const { engine_version } = await engine.start(nothing)
    assert.equal(engine_version, `b1 ${'x'.repeat(125)}`)
  })

  it('is waited for while it loads its model', async () => {
    server.on('GET /health', recording('llama-server/loading'))
    const starting = engine.start(nothing)
    await server.until(() => server.count('GET /health') === 1)
    for (let i = 0; i < 20; i++) await settled()
    server.on('GET /health', recording('llama-server/health'))
    await clock.advance(250)
    assert.equal((await starting).ctx_max, 256)
  })

  it('is not up with fewer slots than configured, or another model', async () => {
    await assert.rejects(make(5).start(nothing), { message: 'the engine runs 4 tasks at once, not the 5 of replicas.slots' })
    await assert.rejects(
      make(1, 'llamacpp:other').start(nothing),
      /^EngineError: the engine does not serve other, and loads no other model than the one it was started with: start it with other, /,
    )
    const named = make(1, 'llamacpp:tinytales')
    await named.start(nothing)
    await named.stop()
  })

  it('has no connection any more where it does not come up', async () => {
    for (const [route, status] of [
      ['GET /health', 200],
      ['GET /props', 500],
    ] as const)
      server.on(route, (call) => call.json(status, {}, { 'Keep-Alive': 'timeout=600' }))
    await assert.rejects(engine.start(nothing))
    assert.equal(server.count('GET /props'), 1)
    await inTime(
      server.until(() => server.sockets.size === 0),
      'its connections to close',
    )
  })

  it('has as many slots as it tells where the configuration leaves it to the server', async () => {
    const told = new HttpEngine({ url: server.url, dialect: llamaServerDialect('served:box'), replayable: false, clock })
    assert.equal((await told.start(nothing)).slots, 4)
    await told.stop()
  })

  it('counts by its own template and tokenizer', async () => {
    await engine.start(nothing)
    assert.equal(await engine.countTokens({ messages: [{ role: 'developer', content: 'Who are you?' }] }, signal), 7)
    const [template, tokenize] = server.calls.slice(-2).map(({ call }) => call.body)
    assert.deepEqual(template, { messages: [{ role: 'system', content: 'Who are you?' }], model: 'tinytales' })
    assert.deepEqual(tokenize, { model: 'tinytales', content: '<|user|>Who are you?<|assistant|>', add_special: true, parse_special: true })
  })

  it('ends at a stop sequence, which is no text', async () => {
    await engine.start(nothing)
    server.on('POST /completion', recording('llama-server/completion-stop'))
    let text = ''
    const asked = request({ prompt: { text: 'a' }, sampling: { stop: ['fox', '.'] }, seed: 4_294_967_295, kv: 'reuse' })
    const result = await engine.generate(asked, (part) => void (text += part.text), signal)
    const { finish_reason, stop_sequence } = result
    assert.deepEqual([text, finish_reason, stop_sequence], [' Once upon a time there was a curious ', 'stop', 'fox'])
    const { body } = server.calls.at(-1)!.call
    assert.deepEqual([body['stop'], body['seed'], body['cache_prompt']], [['fox', '.'], 4_294_967_294, true])
  })

  it('calls tools, in pieces of their arguments', async () => {
    await engine.start(nothing)
    server.on('POST /v1/chat/completions', recording('llama-server/v1-chat-tools-stream'))
    const parts: object[] = []
    const tools = [{ type: 'function' as const, function: { name: 'w' } }]
    const prompt = { messages: [{ role: 'user' as const, content: 'weather?' }], tools }
    const result = await engine.generate(request({ prompt }), (part) => void parts.push(part), signal)
    assert.equal(result.finish_reason, 'tool_calls')
    assert.deepEqual(server.calls.at(-1)!.call.body['tools'], tools)
    const [first, ...rest] = parts as { kind: string; index: number; id?: string; name?: string; text: string }[]
    assert.deepEqual(first, { kind: 'tool_call', index: 0, id: 'DYNKSYJDb9az9rGfW1aVQuBmQ8VE5A3s', name: 'w', text: '' })
    // The recorded turn had opened the object itself.
    assert.match(rest.map(({ text }) => text).join(''), /^ "city": "Oslo"\}$/)
  })

  for (const name of ['killed-mid-stream', 'router-stream-cut-by-unload', 'sigterm-mid-stream'])
    it(`${name} is no end`, async () => {
      await engine.start(nothing)
      server.on('POST /completion', recording(`llama-server/${name}`))
      await assert.rejects(engine.generate(request({ prompt: { text: 'a' } }), nothing, signal), { name: 'EngineError', retriable: true })
    })

  it('is not asked again once parts of its answer are out, though it says that it is busy', async () => {
    const kit = kits.llamaPrompts
    await engine.start(nothing)
    let calls = 0
    server.on(kit.route, async (call) => {
      calls++
      await call.stream([halfOf(kit), `data: ${JSON.stringify({ error: { code: 503, message: 'busy' } })}\n\n`])
      await call.endBody()
    })
    let said = 0
    const run = engine.generate(request(kit.request), ({ text }) => void (said += text.length), signal)
    await inTime(assert.rejects(run, { message: 'the engine takes no more requests now (HTTP 503)' }), 'the answer to fail')
    assert.ok(said > 0)
    assert.equal(calls, 1)
  })

  it('embeds and ranks where it was started for that', async () => {
    server.on('POST /v1/embeddings', recording('llama-server/embeddings'))
    server.on('POST /rerank', (call) =>
      call.json(200, {
        results: [
          { index: 1, relevance_score: 2 },
          { index: 0, relevance_score: 1 },
        ],
        usage: { prompt_tokens: 14 },
      }),
    )
    assert.deepEqual((await engine.start(nothing)).workloads, ['completion', 'embedding', 'rerank'])
    const embedded = await engine.embed?.(['fox'], 1, signal)
    assert.equal(embedded?.vectors.length, 1)
    assert.deepEqual(await engine.rerank?.('fox', ['a', 'b'], 1, signal), { scores: [1, 2], tokens_in: 14 })
    server.on('POST /v1/embeddings', recording('llama-server/embeddings-over-context'))
    await assert.rejects(async () => engine.embed?.(['fox'], 1, signal), {
      retriable: false,
      message: 'an input is too long for the engine',
    })
  })

  it('tells how full its KV cache is', async () => {
    await engine.start(nothing)
    assert.equal(engine.kvUsage?.(), undefined)
    await server.until(() => server.count('GET /slots') === 1)
    while (engine.kvUsage?.() === undefined) await settled()
    const share = engine.kvUsage()!
    assert.ok(share > 0 && share < 1, String(share))
  })

  it('is not asked how full its KV cache is while it has nothing to do: it would wake for that, or not go to sleep', async () => {
    await engine.start(nothing)
    while (engine.kvUsage?.() === undefined) await settled()
    for (let i = 0; i < 50; i++) {
      engine.kvUsage()
      await settled()
    }
    assert.equal(server.count('GET /slots'), 1)
  })

  for (const [status, says, why] of [
    [503, 'secret', 'the engine says that it is not well (HTTP 503)'],
    [
      400,
      // A router says so.
      { error: { code: 400, message: 'model is not loaded' } },
      'the engine has unloaded the model; pools that it has no room for at once take turns in a group',
    ],
  ] as const)
    it(`is down when it does not say twice that it is well, and not before: HTTP ${status}`, async () => {
      const downs: string[] = []
      await engine.start(({ message }) => downs.push(message))
      server.on('GET /props', (call) => call.json(status, says))
      for (let asked = 2; asked <= 3; asked++) {
        assert.deepEqual(downs, [])
        await clock.advance(2000)
        await server.until(() => server.count('GET /props') === asked)
        for (let i = 0; i < 20; i++) await settled()
      }
      assert.deepEqual(downs, [why])
    })

  it('is up as long as it says in between that it is well', async () => {
    const downs: string[] = []
    await engine.start(({ message }) => downs.push(message))
    for (const [before, well] of [false, true, false, true, false].entries()) {
      server.on('GET /props', well ? recording('llama-server/props') : (call) => call.json(503, ''))
      await clock.advance(2000)
      await server.until(() => server.count('GET /props') === before + 2)
      for (let i = 0; i < 20; i++) await settled()
      assert.deepEqual(downs, [])
    }
  })

  for (const [what, other] of [
    ['model', { model_path: 'other.gguf' }],
    ['number of slots', { total_slots: 1 }],
    ['context', { default_generation_settings: { n_ctx: 512 } }],
  ] as const)
    it(`is down when its like has come in its place, with another ${what}, however quickly`, async () => {
      const told = JSON.parse(bodyOf(recording('llama-server/props')).toString()) as Record<string, unknown>
      const downs: string[] = []
      await engine.start(({ message }) => downs.push(message))
      const isAskedBy = async (props: object): Promise<void> => {
        const asked = server.count('GET /props')
        server.on('GET /props', (call) => call.json(200, { ...told, ...props }))
        await clock.advance(2000)
        await server.until(() => server.count('GET /props') > asked)
        for (let i = 0; i < 20; i++) await settled()
      }
      // What is drawn at each start makes it no other.
      await isAskedBy({ media_marker: 'drawn' })
      assert.deepEqual(downs, [])
      await isAskedBy(other)
      assert.deepEqual(downs, ['the engine has another model or other settings now'])
    })
})
