import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../../src/ports/engine.ts'
import { keys, mockPool, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { ClientUser, startGuard, withClient, type Guard, type Ran } from '../harness/real-clients.ts'
import { ScriptedEngine } from '../harness/scripted-engine.ts'
import { untilAnswer } from '../harness/wait.ts'

const program = fileURLToPath(new URL('../harness/clients/stream.py', import.meta.url))

/** Waits until something is seen; throws where the client is over before. */
type Until = (seen: () => boolean) => Promise<unknown>

withClient('python-clients', 'the SDKs in Python, in trouble', () => {
  let daemon: TestDaemon
  let engine: ScriptedEngine
  let guard: Guard
  let user: ClientUser
  let responses: ServerResponse[]
  beforeEach(async () => {
    engine = new ScriptedEngine({ replayable: false })
    guard = await startGuard()
    user = new ClientUser('python-clients', guard)
    const queue = { capacity: 1, full_policy: 'reject' }
    const pool = mockPool({ replicas: [{ id: 'r0', slots: 1 }], queue, timeouts: patient })
    daemon = await startDaemon({ pools: [pool] }, { engines: () => engine })
    responses = []
    daemon.server.on('request', (_request, response: ServerResponse) => responses.push(response))
  })
  afterEach(async () => {
    user.leave()
    await daemon.stop()
    await guard.close()
  })

  /** Streams an answer; `meanwhile` may wait for what the daemon or its engine sees of it. */
  async function stream(sdk: string, retries: number, meanwhile: (until: Until) => Promise<void>): Promise<string> {
    let over: Ran | undefined
    const running = user.run(['python', program, daemon.url, sdk, String(retries)]).then((ran) => (over = ran))
    const until: Until = (seen) =>
      untilAnswer(
        () => Promise.resolve(seen()),
        (is) => {
          if (!is && over !== undefined) throw new Error(over.output)
          return is
        },
      )
    await meanwhile(until)
    return (await running).output
  }

  for (const sdk of ['openai', 'anthropic']) {
    it(`${sdk}: an engine that breaks in the middle is an error and no end`, async () => {
      const output = await stream(sdk, 0, async (until) => {
        await until(() => engine.calls.length === 1)
        engine.call.say('Once')
        engine.call.fail(new EngineError('it broke', { retriable: false }))
      })
      assert.match(output, /^raised API\w*Error .*(server error|overloaded)/i)
    })

    it(`${sdk}: a connection that is cut in the middle is an error and no end`, async () => {
      const output = await stream(sdk, 0, async (until) => {
        await until(() => engine.calls.length === 1)
        engine.call.say('Once')
        await until(() => responses[0]?.headersSent === true)
        daemon.server.closeAllConnections()
      })
      assert.match(output, /^raised \w+Error /)
    })

    it(`${sdk}: a full queue is waited out for as long as it says`, async () => {
      const body = { model: 'mock:v1', messages: [{ role: 'user', content: 'Hello' }] }
      const answers: unknown[] = []
      const fill = async (): Promise<unknown> =>
        answers.push(await call(daemon.url, '/v1/chat/completions', { method: 'POST', key: keys.all, body }))
      const filling = [fill()]
      // The engine is called while the acceptance is written; until it is, the task has its place in the queue.
      await untilAnswer(
        () => Promise.resolve([engine.running.length, daemon.pools.get('mock').scheduler.depth()]),
        ([running, waiting]) => running === 1 && waiting === 0,
      )
      filling.push(fill())
      await untilAnswer(
        () => Promise.resolve({ live: [...daemon.live.all()].length, answers }),
        ({ live }) => live === 2,
      )
      const output = await stream(sdk, 2, async (until) => {
        await until(() => responses[2]?.writableFinished === true)
        const after = Number(responses[2]?.getHeader('retry-after'))
        assert.ok(after >= 1 && after <= 60, String(after))
        for (let done = 0; done < 3; done++) {
          await until(() => engine.running.length === 1)
          engine.call.say('There is room.')
          engine.call.finish()
        }
      })
      await Promise.all(filling)
      assert.equal(output, 'said There is room.\n')
      assert.deepEqual(
        responses.map(({ statusCode }) => statusCode),
        [200, 200, 429, 200],
      )
    })
  }
})
