import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import { untilAnswer } from '../harness/wait.ts'

const model_path = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))

describe('llama.cpp engine: its KV cache', () => {
  it('tells the share that holds tokens, and nothing once it is gone', async () => {
    const engine = createLlamaCppEngine({
      model_path,
      ctx: 256,
      slots: 2,
      threads: 1,
      gpu: false,
      temperature: 0.7,
      onOutput: () => undefined,
    })
    const usage = (): Promise<number | undefined> => new Promise((resolve) => setImmediate(() => resolve(engine.kvUsage?.())))
    assert.equal(await usage(), undefined)
    await engine.start((reason) => assert.fail(reason))
    try {
      // What it ran when it came up: 5 tokens of a prompt and 8 of an answer.
      const probed = (await untilAnswer(usage, (share) => share !== undefined)) ?? NaN
      assert.ok(probed <= 14 / 512, String(probed))
      const request = {
        prompt: { text: 'Once upon a time' },
        max_tokens: 40,
        seed: 7,
        sampling: {},
        chat: {},
        kv: 'cold',
        session: 's',
      } as const
      const { tokens_in, tokens_out } = await engine.generate(request, () => undefined, new AbortController().signal)
      const share = await untilAnswer(usage, (now) => now !== 0 && now !== probed)
      assert.ok(share !== undefined && share > 0 && share <= (14 + tokens_in + tokens_out + 1) / 512, String(share))
    } finally {
      await engine.stop()
    }
    assert.equal(await usage(), undefined)
  })
})
