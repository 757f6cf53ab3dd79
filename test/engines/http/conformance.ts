import assert from 'node:assert/strict'
import type { GenerateResult } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { Bench, serverKey, type EngineKit } from './engine-bench.ts'
import { bodyOf, EngineServer, recording, type EngineCall } from './engine-server.ts'

/** Misbehaviours that every engine over HTTP has to stand, each with its outcome. */
export function conforms(kit: EngineKit): void {
  describe(`${kit.name}: a server that misbehaves`, () => {
    let server: EngineServer
    let bench: Bench
    const body = bodyOf(kit.answer)
    const border = kit.type === 'text/event-stream' ? '\n\n' : '\n'
    const half = body.subarray(0, body.indexOf(border, body.length / 3) + border.length)

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

    it('a first byte that takes its time', async () => {
      const late = Promise.withResolvers<undefined>()
      answers(async (call) => {
        await late.promise
        await whole(call)
      })
      const run = bench.run()
      await server.until(() => server.count(kit.route) > 0)
      await bench.clock.advance(1000)
      assert.equal(bench.text, '')
      late.resolve(undefined)
      await ended(run)
    })

    it('chunks of one byte, which cut characters and frames', async () => {
      answers(async (call) => {
        await stream(call, ...Array.from(body, (byte) => Buffer.of(byte)))
        await call.endBody()
      })
      await ended(bench.run())
    })

    it('everything in one chunk, with noise before each message', async () => {
      answers(async (call) => {
        const messages = body.toString().split('\n')
        await stream(call, messages.map((line) => (line === '' ? line : kit.noise + line)).join('\n'))
        await call.endBody()
      })
      await ended(bench.run())
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

    it('an error first, under 200', async () => {
      answers(async (call) => {
        await stream(call, kit.error, kit.afterError)
        await call.endBody()
      })
      await bench.fails(bench.run(), true, /^the engine failed \(HTTP 500\)$/)
      assert.equal(bench.text, '')
    })

    it('an error in the middle, under 200, and an end as if nothing had been', async () => {
      answers(async (call) => {
        await stream(call, half, kit.error, kit.afterError)
        await call.endBody()
      })
      await bench.fails(bench.run(), true, /^the engine failed/)
    })

    it('an end of file without the end mark', async () => {
      answers(async (call) => {
        await stream(call, half)
        call.end()
      })
      await bench.fails(bench.run(), true, /^the connection to the engine broke$/)
    })

    it('a well-formed end without the end mark, after a line that is none', async () => {
      answers(async (call) => {
        await stream(call, half, 'proxy error: secret\n')
        await call.endBody()
      })
      await bench.fails(bench.run(), true, /^the engine (sent something that is no answer|stopped in the middle of its answer)$/)
    })

    it('a reset in the middle', async () => {
      answers(async (call) => {
        await stream(call, half)
        call.reset()
      })
      await bench.fails(bench.run(), true, /^the connection to the engine broke$/)
      assert.equal(bench.downs.length, 0)
    })

    it('a kept connection that is closed as the request comes', async () => {
      answers((call) => (server.count(kit.route) === 1 ? call.end() : whole(call)))
      await ended(bench.run())
    })

    it('a connection that is closed each time, without an answer', async () => {
      answers((call) => call.reset())
      await bench.fails(bench.run(), true, /^the connection to the engine broke$/)
      assert.equal(server.count(kit.route), 2)
    })

    it('429 with Retry-After', async () => {
      answers((call) => (server.count(kit.route) === 1 ? call.json(429, { error: 'secret' }, { 'Retry-After': '7' }) : whole(call)))
      const run = bench.run()
      await server.until(() => server.count(kit.route) === 1)
      await settled()
      await bench.clock.advance(6999)
      assert.equal(server.count(kit.route), 1)
      await bench.clock.advance(1)
      await ended(run)
    })

    it('503 without it, again and again', async () => {
      answers((call) => call.json(503, 'secret'))
      const failed = bench.fails(bench.run(), true, /^the engine takes no more requests now \(HTTP 503\)$/)
      for (let times = 1; times <= 5; times++) {
        await server.until(() => server.count(kit.route) >= times)
        await settled()
        if (times < 5) await bench.clock.advance(4000)
      }
      await failed
      assert.equal(bench.downs.length, 0)
    })

    it('a refusal', async () => {
      answers((call) => call.json(400, { error: { message: `secret ${serverKey}`, code: 400 } }))
      await bench.fails(bench.run(), false, /^the engine does not take the request \(HTTP 400\)$/)
    })

    it('a prompt over its context', async () => {
      server.on(kit.route, recording('llama-server/over-context'))
      await bench.fails(bench.run(), false, /do not fit into the context of the engine$/)
    })

    for (const [what, begin] of [
      ['silence before the head', () => undefined],
      ['silence in the middle', (call: EngineCall) => stream(call, half)],
    ] as const)
      it(`${what}: an abort closes the connection`, async () => {
        const got = Promise.withResolvers<EngineCall>()
        answers(async (call) => {
          await begin(call)
          got.resolve(call)
        })
        const stop = new AbortController()
        const run = bench.run(stop.signal)
        const call = await got.promise
        await settled()
        const reason = new Error('enough')
        stop.abort(reason)
        const before = bench.parts.length
        await assert.rejects(run, reason)
        await call.closed
        assert.equal(bench.parts.length, before)
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
}
