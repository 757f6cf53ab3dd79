import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import type { Engine, EngineProps, GenerateRequest, GenerateResult } from '../../src/ports/engine.ts'

const model_path = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))
const never = new AbortController().signal
const ask = (content: string): GenerateRequest['prompt'] => ({ messages: [{ role: 'user', content }] })
const fox = ask('Tell me a story about a fox.')

interface Answer extends GenerateResult {
  readonly text: string
}

const newEngine = (options: { slots?: number; ctx?: number; threads?: number } = {}): Engine =>
  createLlamaCppEngine({ model_path, ctx: 256, slots: 4, threads: 1, gpu: false, temperature: 0.7, onOutput: () => undefined, ...options })

const start = (engine: Engine): Promise<EngineProps> => engine.start((reason) => assert.fail(reason))

async function generate(engine: Engine, request: Partial<GenerateRequest>, signal = never): Promise<Answer> {
  const pieces: string[] = []
  const full: GenerateRequest = { prompt: fox, max_tokens: 200, seed: 7, sampling: {}, chat: {}, kv: 'cold', session: 's', ...request }
  const result = await engine.generate(full, ({ text }) => pieces.push(text), signal)
  assert.ok(pieces.every((piece) => piece.length > 0 && piece.isWellFormed()))
  return { ...result, text: pieces.join('') }
}

describe('llama.cpp engine: one small slot', function () {
  const engine = newEngine({ slots: 1, ctx: 40 })

  before(() => start(engine))
  after(() => engine.stop())

  it('stops at the end of the context', async () => {
    const { finish_reason, tokens_in, tokens_out } = await generate(engine, {})
    assert.equal(finish_reason, 'length')
    assert.equal(tokens_in + tokens_out, 40)
  })

  it('aborts after any piece, says nothing more, and frees its slot', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), async (after) => {
        const abort = new AbortController()
        const reason = new Error('enough')
        let pieces = 0
        const request: GenerateRequest = { prompt: fox, max_tokens: 200, seed: 7, sampling: {}, chat: {}, kv: 'cold', session: 's' }
        const running = engine.generate(
          request,
          () => {
            if (++pieces === after) abort.abort(reason)
          },
          abort.signal,
        )
        // A second one waits for the only slot.
        const waiting = generate(engine, { max_tokens: 3 })
        if (after === 0) abort.abort(reason)
        await assert.rejects(running, (error: unknown) => error === reason)
        assert.equal(pieces, after)
        assert.equal((await waiting).tokens_out, 3)
        assert.equal(pieces, after)
      }),
      { numRuns: 25 },
    )
  })

  it('aborts while waiting for a slot', async () => {
    const running = generate(engine, {})
    const reason = new Error('no more')
    const abort = new AbortController()
    const waiting = generate(engine, {}, abort.signal)
    abort.abort(reason)
    await assert.rejects(waiting, (error: unknown) => error === reason)
    assert.equal((await running).finish_reason, 'length')
  })

  it('does nothing for a call that is aborted already', async () => {
    const reason = new Error('before')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(engine.countTokens(fox, signal), (error: unknown) => error === reason)
    await assert.rejects(generate(engine, {}, signal), (error: unknown) => error === reason)
  })

  it('rejects with what onText throws, and goes on', async () => {
    const failure = new Error('disk full')
    const request: GenerateRequest = { prompt: fox, max_tokens: 200, seed: 7, sampling: {}, chat: {}, kv: 'cold', session: 's' }
    await assert.rejects(
      engine.generate(
        request,
        () => {
          throw failure
        },
        never,
      ),
      (error: unknown) => error === failure,
    )
    assert.equal((await generate(engine, { max_tokens: 2 })).tokens_out, 2)
  })
})
