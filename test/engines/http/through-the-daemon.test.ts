import assert from 'node:assert/strict'
import { keys, startDaemon, type TestDaemon } from '../../harness/daemon.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { call } from '../../harness/http.ts'
import { StreamClient } from '../../harness/sse.ts'
import { until } from '../../harness/wait.ts'
import { request, serverKey, type EngineKit } from './engine-bench.ts'
import { EngineServer } from './engine-server.ts'
import { kits } from './kits.ts'
import { misbehaviours } from './misbehaviours.ts'

/** Longest silence, ms: less than what the health of an engine is asked in. */
const idle_ms = 1500

/** What a client is told of a misbehaviour after the first part of an answer, which cannot be run again. */
const told = [
  { what: 'an error object under 200, later', code: 'WORKER_RESET' },
  { what: 'an end of file without the marker, the body cut', code: 'WORKER_RESET' },
  { what: 'a reset in the middle', code: 'WORKER_RESET' },
  { what: 'a hang in the middle', code: 'DECODE_TIMEOUT' },
  { what: 'silence after SIGTERM', code: 'DECODE_TIMEOUT' },
  { what: 'text that is no message, in a well-formed body', code: 'WORKER_RESET' },
] as const

/** One kind of call of each engine. */
const one: readonly EngineKit[] = [
  kits.llamaPrompts,
  kits.vllmChats,
  kits.sglangChats,
  kits.tgiPrompts,
  kits.tritonPrompts,
  kits.ollamaChats,
  kits.openAiChats,
]

describe('servers that misbehave, through the whole daemon', () => {
  let servers: Map<EngineKit, EngineServer>
  let daemon: TestDaemon
  const clock = new FakeClock()

  beforeEach(async () => {
    servers = new Map(await Promise.all(one.map(async (kit) => [kit, await EngineServer.start()] as const)))
    for (const [kit, server] of servers) kit.welcome(server)
    const pools = [...servers].map(([{ engine, pool }, { url }]) => ({
      id: engine,
      engine,
      url,
      api_key_env: 'KEY',
      timeouts: { idle_ms },
      ...pool,
    }))
    daemon = await startDaemon({ pools }, { clock, engineKeys: new Map([['KEY', serverKey]]) })
  })
  afterEach(async () => {
    await daemon.stop()
    for (const server of servers.values()) {
      await server.until(() => server.sockets.size === 0)
      await server.stop()
    }
  })

  /** A task that only this engine may take. */
  const taskFor = ({ engine, pool, request: fields }: EngineKit): object => {
    const { prompt, max_tokens, sampling } = request(fields)
    const asked = 'text' in prompt ? { prompt: prompt.text } : { messages: prompt.messages }
    return { task_id: engine, model_ref: pool['model'] ?? `served:${engine}`, max_tokens, sampling, seed: 1, ...asked }
  }

  it('capabilities say where prompts are counted by an estimate', async () => {
    const { json } = await call(daemon.url, '/v1/capabilities', { key: keys.all })
    const engines = json['engines'] as { engine: string; tokens_estimated?: boolean }[]
    assert.deepEqual(
      engines.filter(({ tokens_estimated }) => tokens_estimated === true).map(({ engine }) => engine),
      ['tgi', 'triton', 'ollama', 'openai'],
    )
  })

  for (const { what, code } of told)
    it(`${what}: ${code}, from each of six engines`, async () => {
      const { act } = misbehaviours.find((known) => known.what === what)!
      for (const [kit, server] of servers) {
        server.on(kit.route, (got) => act({ kit, server, call: got, times: 1, later: Promise.resolve(undefined) }))
        const stream = await StreamClient.post(daemon.url, keys.all, taskFor(kit))
        await stream.until(({ tokens }) => tokens.length > 0)
        if (code === 'DECODE_TIMEOUT') await clock.advance(idle_ms)
        await stream.closed
        assert.deepEqual([stream.terminal?.event, stream.terminal?.data?.['code']], ['error', code], kit.engine)
        assert.doesNotMatch(stream.raw, new RegExp(`canary|${serverKey}|127\\.0\\.0\\.1|${server.port}`))
        await until(() => daemon.pools.find(kit.engine)?.replicas.every(({ busy }) => busy === 0) === true)
        const { text } = await call(daemon.url, `/v1/pools/${kit.engine}/health`, { key: keys.all })
        assert.doesNotMatch(text, new RegExp(`canary|${serverKey}|127\\.0\\.0\\.1|${server.port}`))
      }
      assert.equal(daemon.live.size, 0)
      // The log may hold what a server wrote, but no key.
      assert.doesNotMatch(JSON.stringify(daemon.lines), new RegExp(serverKey))
    })
})
