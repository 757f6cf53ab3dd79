import assert from 'node:assert/strict'
import type { GenerateResult } from '../../../src/ports/engine.ts'
import { Bench, canary, serverKey } from './engine-bench.ts'
import { bodyOf, EngineServer, recording, type EngineCall } from './engine-server.ts'
import { kits } from './kits.ts'
import { halfOf } from './misbehaviours.ts'

for (const kit of Object.values(kits))
  describe(`${kit.engine}, ${kit.workload}: a call and the life of the engine`, () => {
    let server: EngineServer
    let bench: Bench
    const body = bodyOf(kit.answer)
    const half = halfOf(kit)

    beforeEach(async () => {
      server = await EngineServer.start()
      bench = new Bench(kit, server)
      await bench.start()
      server.calls.length = 0
    })

    afterEach(async () => {
      await bench.engine.stop()
      await server.until(() => server.sockets.size === 0)
      await server.stop()
      assert.equal(bench.clock.pending, 0)
    })

    const answers = (answer: (call: EngineCall) => void | Promise<void>): void => server.on(kit.route, answer)
    const stream = async (call: EngineCall, ...chunks: (Buffer | string)[]): Promise<void> => {
      await call.stream(chunks, kit.type)
    }
    const whole = async (call: EngineCall): Promise<void> => {
      await stream(call, body)
      await call.endBody()
    }
    const ended = async (run: Promise<GenerateResult>): Promise<void> => {
      const result = await run
      assert.equal(bench.text, kit.text)
      for (const [field, value] of Object.entries(kit.result)) assert.deepEqual(result[field as keyof GenerateResult], value, field)
    }

    it('the recording as it came', async () => {
      server.on(kit.route, kit.answer)
      await ended(bench.run())
      const { call } = server.calls.at(-1)!
      assert.equal(call.headers.authorization, `Bearer ${serverKey}`)
    })

    if (kit.endsWithBody !== true)
      it('a body that is not closed after the end mark', async () => {
        const got = Promise.withResolvers<EngineCall>()
        answers(async (call) => {
          got.resolve(call)
          await stream(call, body)
        })
        await ended(bench.run())
        await bench.clock.advance(1000)
        await (
          await got.promise
        ).closed
      })

    it('a kept connection that is closed as the request comes', async () => {
      answers((call) => (server.count(kit.route) === 1 ? call.end() : whole(call)))
      await ended(bench.run())
    })

    it('a refusal', async () => {
      answers((call) => call.json(400, { error: { message: `${canary} ${serverKey}`, code: 400 } }))
      await bench.fails(bench.run(), false, /^the engine does not take the request \(HTTP 400\)$/)
    })

    it('a prompt over its context', async () => {
      server.on(kit.route, recording('llama-server/over-context'))
      await bench.fails(bench.run(), false, /do not fit into the context of the engine$/)
    })

    it('nobody there any more', async () => {
      await server.stop()
      await bench.fails(bench.run(), true, /^the (engine cannot be reached|connection to the engine broke)/)
      assert.equal(bench.downs.length, 1)
      await bench.fails(bench.run(), true, /^the engine is not up$/)
    })

    it('a stop before it is up', async () => {
      const other = kit.create({ url: server.url, api_key: '' }, bench.clock)
      const starting = other.start(() => undefined)
      await Promise.all([assert.rejects(starting, { message: 'the engine was given up' }), other.stop()])
    })

    it('a stop while it answers', async () => {
      const got = Promise.withResolvers<undefined>()
      answers(async (call) => {
        await stream(call, half)
        got.resolve(undefined)
      })
      const run = bench.run()
      await got.promise
      await Promise.all([bench.fails(run, true, /^the engine was given up$/), bench.engine.stop()])
    })
  })
