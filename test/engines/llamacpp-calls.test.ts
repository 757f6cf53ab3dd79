import assert from 'node:assert/strict'
import { generate, type Child } from '../../src/adapters/engines/llamacpp/calls.ts'
import type { Call } from '../../src/adapters/engines/llamacpp/process.ts'
import type { Command, TokenRequest } from '../../src/adapters/engines/llamacpp/protocol.ts'
import { EngineError, type GenerateResult } from '../../src/ports/engine.ts'

const request = { tokens: [1] } as unknown as TokenRequest
const result: GenerateResult = { finish_reason: 'stop', tokens_in: 1, tokens_out: 1, kv_warm: false }

/** A child in the hands of the test. */
class Fake {
  readonly sent: Command[] = []
  call!: Call
  readonly itself = {
    ready: true,
    begin: (call: Call, commandFor: (id: number) => Command): number => {
      this.call = call
      this.sent.push(commandFor(7))
      return 7
    },
    send: (command: Command) => this.sent.push(command),
  }
  readonly child = this.itself as unknown as Child

  get kinds(): string[] {
    return this.sent.map(({ type }) => type)
  }
}

describe('llama.cpp engine: a call of its process', () => {
  const gone = new Error('gone')

  it('gives its text on, and nothing once it is aborted; its end confirms that, whatever it is', async () => {
    const ends: ((call: Call) => void)[] = [
      (call) => call.end({ type: 'aborted', id: 7 }),
      (call) => call.end({ type: 'done', id: 7, result }),
      (call) => call.fail(new EngineError('it died', { retriable: true })),
    ]
    for (const end of ends) {
      const fake = new Fake()
      const abort = new AbortController()
      const texts: string[] = []
      const running = generate(fake.child, request, ({ text }) => texts.push(text), abort.signal)
      fake.call.text('a')
      abort.abort(gone)
      fake.call.text('b')
      end(fake.call)
      await assert.rejects(running, gone)
      assert.deepEqual([texts, fake.kinds], [['a'], ['generate', 'abort']])
    }
  })

  it('is aborted where nobody can take its text, once, and rejects with why', async () => {
    const fake = new Fake()
    let taken = 0
    const running = generate(
      fake.child,
      request,
      () => {
        taken++
        throw gone
      },
      new AbortController().signal,
    )
    fake.call.text('a')
    fake.call.text('b')
    fake.call.end({ type: 'aborted', id: 7 })
    await assert.rejects(running, gone)
    assert.deepEqual([taken, fake.kinds], [1, ['generate', 'abort']])
  })

  it('says how it failed, and leaves its signal alone when it is over', async () => {
    const fake = new Fake()
    const abort = new AbortController()
    const failing = generate(fake.child, request, () => undefined, abort.signal)
    fake.call.end({ type: 'error', id: 7, message: 'no room', retriable: false })
    await assert.rejects(failing, { message: 'no room', retriable: false })
    const dying = generate(fake.child, request, () => undefined, abort.signal)
    fake.call.fail(new EngineError('it died', { retriable: true }))
    await assert.rejects(dying, { message: 'it died', retriable: true })
    const done = generate(fake.child, request, () => undefined, abort.signal)
    fake.call.end({ type: 'done', id: 7, result })
    assert.equal(await done, result)
    abort.abort(gone)
    assert.deepEqual(fake.kinds, ['generate', 'generate', 'generate'])
    await assert.rejects(
      generate(fake.child, request, () => undefined, abort.signal),
      gone,
    )
    fake.itself.ready = false
    await assert.rejects(
      generate(fake.child, request, () => undefined, new AbortController().signal),
      /not running/,
    )
  })
})
