import assert from 'node:assert/strict'
import { recognizeServer, type ServerKind } from '../../../src/adapters/engines/http/recognize.ts'
import { engines } from '../../../src/adapters/engines/registry.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import { findEngines } from '../../../src/compose/find-engines.ts'
import type { EngineDefinition } from '../../../src/ports/engine-definition.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { EngineServer, recording, type Answer } from './engine-server.ts'

const list = (...ids: string[]): unknown => ({ object: 'list', data: ids.map((id) => ({ id, object: 'model', owned_by: 'somebody' })) })
const json =
  (body: unknown, status = 200): Answer =>
  (call) =>
    call.json(status, body)

describe('a server at a URL', () => {
  let server: EngineServer
  let kinds: readonly ServerKind[]
  before(async () => {
    const definitions = await Promise.all(Object.entries(engines).map(async ([name, load]) => [name, (await load()).definition] as const))
    kinds = definitions.flatMap(([engine, { drivers }]: readonly [string, EngineDefinition]) =>
      Object.values(drivers).flatMap(({ recognize }) => (recognize === undefined ? [] : [{ engine, recognize }])),
    )
  })
  beforeEach(async () => {
    server = await EngineServer.start()
  })
  afterEach(() => server.stop())

  const isFound = async (engine: string, models: string[], path = ''): Promise<void> => {
    const clock = new FakeClock()
    assert.deepEqual(await recognizeServer(`${server.url}${path}`, kinds, clock), { engine, models })
    assert.equal(clock.pending, 0)
    await server.until(() => server.sockets.size === 0)
  }

  it('is recognised as llama-server', () => {
    server.on('GET /props', recording('llama-server/props'))
    server.on('GET /v1/models', recording('llama-server/models'))
    return isFound('llamacpp', ['tinytales'])
  })

  it('is recognised as a router of llama-servers, with all its models', () => {
    server.on('GET /props', recording('llama-server/router-props'))
    server.on('GET /v1/models', recording('llama-server/router-models'))
    return isFound('llamacpp', ['broken', 'tales-a', 'tales-b'])
  })

  it('is recognised as vLLM, by its URL with /v1 as well', async () => {
    server.on('GET /v1/models', recording('vllm/models'))
    await isFound('vllm', ['tinytales'])
    await isFound('vllm', ['tinytales'], '/v1')
  })

  it('is recognised as SGLang', () => {
    server.on('GET /v1/models', json({ object: 'list', data: [{ id: 'org/m', owned_by: 'sglang', max_model_len: 4096 }] }))
    return isFound('sglang', ['org/m'])
  })

  it('is recognised as TGI', () => {
    server.on('GET /info', json({ model_id: 'org/m', version: '3.3.7', max_total_tokens: 4096 }))
    server.on('GET /v1/models', json(list('org/m')))
    return isFound('tgi', ['org/m'])
  })

  it('is recognised as Triton', () => {
    server.on('GET /v2', recording('triton/server-metadata'))
    server.on('POST /v2/repository/index', recording('triton/index-ready'))
    return isFound('triton', ['tales'])
  })

  it('is recognised as Ollama', () => {
    server.on('GET /api/version', recording('ollama/version'))
    server.on('GET /api/tags', recording('ollama/tags'))
    server.on('GET /v1/models', recording('ollama/v1-models'))
    return isFound('ollama', ['tinytales:latest'])
  })

  it('is taken for any that speaks OpenAI where it is nothing else', () => {
    server.on('GET /v1/models', json(list('a', 'b')))
    server.on('GET /info', (call) => call.json(200, 'no JSON'))
    return isFound('openai', ['a', 'b'])
  })

  it('is waited for while it loads its model', async () => {
    let asked = 0
    server.on('GET /props', (call) => call.end(recording(asked++ === 0 ? 'llama-server/loading' : 'llama-server/props')))
    server.on('GET /v1/models', recording('llama-server/models'))
    assert.deepEqual(await recognizeServer(server.url, kinds, systemClock), { engine: 'llamacpp', models: ['tinytales'] })
  })

  it('is not vLLM or another because it lists nothing, and wants a key where it forbids', async () => {
    server.on('GET /v1/models', json(list()))
    await isFound('openai', [])
    server.on('GET /props', json({ error: 'secret' }, 403))
    await assert.rejects(recognizeServer(server.url, kinds, systemClock), { kind: 'failed', message: /wants a key/ })
    await server.until(() => server.sockets.size === 0)
  })

  it('is waited for two minutes, and leaves no timer', async () => {
    const clock = new FakeClock()
    server.on('GET /props', json({}, 503))
    const found = recognizeServer(server.url, kinds, clock)
    found.catch(() => undefined)
    for (const begun = clock.now(); clock.now() - begun < 121_000;) {
      const asked = server.calls.length
      await clock.advance(10_000)
      await server.until(() => server.calls.length > asked || clock.now() - begun >= 121_000)
    }
    await assert.rejects(found, { kind: 'busy' })
    assert.equal(clock.pending, 0)
  })

  it('is refused where it is none, wants a key or is not there: all at once', async () => {
    const guarded = await EngineServer.start()
    guarded.on('GET /props', json({ error: 'secret' }, 401))
    const gone = await EngineServer.start()
    await gone.stop()
    const named = [server.url, guarded.url, gone.url].map((url) => ({ source: '--engine', url }))
    await assert.rejects(findEngines(named), {
      name: 'ConfigError',
      message: [
        `--engine ${server.url}: what answers is none of llamacpp, vllm, sglang, tgi, triton, ollama, openai`,
        `--engine ${guarded.url}: it wants a key: give it in a configuration file, with url and api_key_env`,
        `--engine ${gone.url}: the engine cannot be reached (ECONNREFUSED)`,
      ].join('\n'),
    })
    await guarded.stop()
  })
})
