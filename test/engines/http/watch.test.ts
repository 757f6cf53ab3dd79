import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { openAiDialect } from '../../../src/adapters/engines/openai/dialect.ts'
import { settled } from '../../harness/fake-clock.ts'
import { Bench, request } from './engine-bench.ts'
import { EngineServer, type EngineCall } from './engine-server.ts'
import { kits } from './kits.ts'

const { vllmPrompts, ollamaChats } = kits
const isWell = 'GET /health'

/** All that is under way comes to rest. */
const rest = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await settled()
}

describe('an engine’s server that is watched', () => {
  let server: EngineServer
  let bench: Bench
  beforeEach(async () => {
    server = await EngineServer.start()
    bench = new Bench(vllmPrompts, server)
    await bench.start()
    server.calls.length = 0
  })
  afterEach(async () => {
    await bench.engine.stop()
    await server.stop()
    assert.equal(bench.clock.pending, 0)
  })

  /** Begins an answer and leaves it open. */
  const begins = (): Promise<EngineCall> =>
    new Promise((resolve) => {
      server.on(vllmPrompts.route, async (call) => {
        await call.stream([])
        resolve(call)
      })
    })

  it('is not asked while it says something, and again when it is silent', async () => {
    const begun = begins()
    const stop = new AbortController()
    const run = bench.run(stop.signal)
    run.catch(() => undefined)
    const call = await begun
    for (let n = 1; n <= 5; n++) {
      await call.chunk(`data: {"choices":[{"index":0,"text":"${n}"}]}\n\n`)
      while (bench.parts.length < n) await settled()
      await bench.clock.advance(2000)
    }
    assert.equal(server.count(isWell), 0)
    await bench.clock.advance(2000)
    await server.until(() => server.count(isWell) === 1)
    stop.abort(new Error('enough'))
    await assert.rejects(run, { message: 'enough' })
  })

  it('is doubted for a second where an answer breaks, and not where it is only busy', async () => {
    server.on(vllmPrompts.route, (call) => {
      if (server.count(vllmPrompts.route) === 5) server.on(isWell, (other) => other.json(500, ''))
      return call.json(429, '')
    })
    const busy = bench.run()
    busy.catch(() => undefined)
    while (server.count(vllmPrompts.route) < 5) await bench.clock.advance(500)
    await assert.rejects(busy, { kind: 'busy' })
    assert.equal(bench.downs.length, 0)
    const asked = server.count(isWell)
    server.on(isWell, () => undefined)
    server.on(vllmPrompts.route, (call) => call.end())
    const broken = bench.run()
    broken.catch(() => undefined)
    await server.until(() => server.count(isWell) === asked + 1)
    await bench.clock.advance(999)
    assert.equal(bench.downs.length, 0)
    await bench.clock.advance(1)
    await assert.rejects(broken, { kind: 'broken' })
    assert.match(String(bench.downs), /did not answer within 1000 ms/)
  })

  it('is well where it says that it is asked too often, as clouds do', async () => {
    server.on(isWell, (call) => call.json(429, { error: { message: 'Rate limit reached', type: 'requests' } }))
    const before = server.count(isWell)
    for (let asked = 1; asked <= 3; asked++) {
      await bench.clock.advance(2000)
      await server.until(() => server.count(isWell) === before + asked)
      await rest()
    }
    assert.deepEqual(bench.downs, [])
    await bench.engine.stop()
    await bench.start()
  })

  it('is not waited for any more once it is stopped, also between two looks', async () => {
    await bench.engine.stop()
    server.on(isWell, (call) => call.json(503, ''))
    const refused = assert.rejects(bench.start(), { message: 'the engine was given up' })
    await server.until(() => server.count(isWell) === 1)
    while (bench.clock.pending !== 1) await settled()
    await rest()
    await bench.engine.stop()
    await refused
    assert.equal(bench.clock.pending, 0)
  })

  it('is given up for the reason of who aborts while it is doubted', async () => {
    server.on(vllmPrompts.route, (call) => call.end())
    const stop = new AbortController()
    const reason = new Error('enough')
    server.on(isWell, (call) => {
      stop.abort(reason)
      return call.json(200, '')
    })
    await assert.rejects(bench.run(stop.signal), reason)
  })

  it('says of a key that is not taken any more what it is', async () => {
    server.on(isWell, (call) => call.json(401, ''))
    await bench.clock.advance(2000)
    await server.until(() => server.count(isWell) === 1)
    await rest()
    await bench.clock.advance(2000)
    await server.until(() => server.count(isWell) === 2)
    await rest()
    assert.match(String(bench.downs), /does not take the key .*\(HTTP 401\)/)
  })

  it('keeps no listener of a call that is over, and is not asked by one that was aborted before', async () => {
    const stop = new AbortController()
    server.on(vllmPrompts.route, vllmPrompts.answer)
    await bench.run(stop.signal)
    await bench.engine.countTokens({ text: 'a' }, stop.signal)
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
    const asked = server.calls.length
    const reason = new Error('enough')
    await assert.rejects(bench.engine.countTokens({ text: 'a' }, AbortSignal.abort(reason)), reason)
    assert.equal(server.calls.length, asked)
  })

  it('is asked how full its cache is by one call at a time, and a failure leaves no figure', async () => {
    const figure = (text: string) => (call: EngineCall) => call.json(200, text)
    const metrics = 'GET /metrics'
    const usage = async (): Promise<number | undefined> => {
      bench.engine.kvUsage?.()
      await rest()
      return bench.engine.kvUsage?.()
    }
    const held = Promise.withResolvers<EngineCall>()
    server.on(metrics, held.resolve)
    for (let n = 0; n < 5; n++) bench.engine.kvUsage?.()
    const call = await held.promise
    await rest()
    assert.equal(server.count(metrics), 1)
    server.on(metrics, figure('vllm:kv_cache_usage_perc{a="b"} 0.25\n'))
    await call.json(200, 'vllm:kv_cache_usage_perc 0.5\n')
    while (bench.engine.kvUsage?.() === undefined) await settled()
    server.on(metrics, (other) => other.json(500, ''))
    while ((await usage()) !== undefined) await settled()
  })
})

describe('an engine whose model is unloaded', () => {
  let server: EngineServer
  let bench: Bench
  const well = 'GET /api/version'
  beforeEach(async () => {
    server = await EngineServer.start()
    bench = new Bench(ollamaChats, server)
    await bench.start()
    server.on('POST /api/generate', (call) => call.json(200, { done: true }))
  })
  afterEach(async () => {
    await bench.engine.stop()
    await server.stop()
    assert.equal(bench.clock.pending, 0)
  })

  it('is not watched until it is loaded again, and then it is', async () => {
    await bench.engine.unload?.()
    const asked = server.count(well)
    await bench.clock.advance(60_000)
    assert.deepEqual([server.count(well), bench.clock.pending], [asked, 0])
    await bench.engine.load?.()
    await bench.clock.advance(2000)
    await server.until(() => server.count(well) === asked + 1)
  })

  it('is not waited for while it loads, once it is stopped', async () => {
    await bench.engine.unload?.()
    const loading = new Promise((resolve) => server.on('POST /api/generate', resolve))
    const loaded = bench.engine.load?.()
    const refused = assert.rejects(loaded ?? Promise.resolve(), { message: 'the engine was given up' })
    await loading
    await bench.engine.stop()
    await refused
  })
})

describe('the connections to an engine’s server', () => {
  it('carry as many answers at once as it has slots, beside what it is asked, as requests of ours', async () => {
    const server = await EngineServer.start()
    server.on('GET /v1/models', (call) => call.json(200, { data: [{ id: 'm', max_model_len: 100 }] }))
    const dialect = openAiDialect({
      ...{ model_ref: 'served:box', v1: '/v1', ctx: undefined, workloads: ['completion'], features: [], max_tokens_field: 'max_tokens' },
    })
    const { clock } = new Bench(vllmPrompts, server)
    const engine = new HttpEngine({ url: `${server.url}//`, dialect, slots: 9, replayable: false, clock })
    await engine.start(() => undefined)
    const calls: EngineCall[] = []
    server.on('POST /v1/completions', (call) => void calls.push(call))
    const runs = Array.from({ length: 9 }, async () =>
      engine.generate(request({ prompt: { text: 'a' } }), () => undefined, new AbortController().signal),
    )
    await server.until(() => calls.length === 9)
    const asked = server.count('GET /v1/models')
    await clock.advance(2000)
    await server.until(() => server.count('GET /v1/models') === asked + 1)
    for (const { headers } of calls)
      assert.deepEqual([headers['content-type'], headers['user-agent']], ['application/json', 'orchestratord'])
    for (const call of calls) await call.json(200, 'data: {"choices":[{"index":0,"text":"a","finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    await Promise.all(runs)
    await engine.stop()
    await server.until(() => server.sockets.size === 0)
    await server.stop()
  })
})
