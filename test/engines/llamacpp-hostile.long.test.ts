import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import { type Engine, EngineError, type GenerateRequest } from '../../src/ports/engine.ts'
import { childrenOf } from '../harness/children.ts'
import { withByteTokens } from '../harness/gguf.ts'
import { until } from '../harness/wait.ts'

const tinytales = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))
const never = new AbortController().signal

/** What llama.cpp's search for words goes into once for each character, until its stack is used up. */
const unbroken = 'a'.repeat(60_000)

const newEngine = (model_path: string): Engine =>
  createLlamaCppEngine({ model_path, ctx: 256, slots: 2, threads: 1, gpu: false, temperature: 0.7, onOutput: () => undefined })

describe('llama.cpp engine: prompts that take long or kill what counts them', () => {
  let folder: string

  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'orchd-hostile-'))))
  after(() => rm(folder, { recursive: true }))

  for (const words of ['gpt-4o', 'deepseek-v3'])
    it(`a prompt that kills its engine while it is counted by ${words} is refused, and the answers that run go on`, async () => {
      const model = join(folder, `${words}.gguf`)
      await writeFile(model, withByteTokens(await readFile(tinytales), words))
      const engine = newEngine(model)
      await engine.start((reason) => assert.fail(reason))
      const request: GenerateRequest = {
        ...{
          prompt: { text: 'Once upon a time' },
          max_tokens: 200,
          seed: 7,
          sampling: { logit_bias: {} },
          chat: {},
          kv: 'cold',
          session: 's',
        },
      }
      const first = Promise.withResolvers<undefined>()
      const running = engine.generate(request, () => first.resolve(undefined), never)
      await first.promise
      const refused = (error: unknown): boolean =>
        error instanceof EngineError && !error.retriable && error.message.includes('tokenizer cannot take it')
      for (const attempt of [1, 2, 3]) {
        await assert.rejects(engine.countTokens({ text: unbroken }, never), refused, `attempt ${attempt}`)
        await assert.rejects(
          engine.generate({ ...request, prompt: { text: unbroken } }, () => undefined, never),
          refused,
        )
        assert.equal(await engine.countTokens({ text: 'hello' }, never), 5)
      }
      await running
      assert.ok((await engine.generate(request, () => undefined, never)).tokens_out > 0)
      await engine.stop()
    })

  it('a count that nobody waits for any more ends, and with it all that it would have cost', async () => {
    const engine = newEngine(tinytales)
    const children = await childrenOf(async () => {
      await engine.start((reason) => assert.fail(reason))
      const leave = new AbortController()
      const long = { text: 'Once upon a time. '.repeat(200_000) }
      const counting = [long, long, long].map((prompt) => engine.countTokens(prompt, leave.signal))
      const left = Promise.allSettled(counting)
      leave.abort(new Error('gone'))
      for (const { status } of await left) assert.equal(status, 'rejected')
      assert.equal(await engine.countTokens({ text: 'Once upon a time' }, never), 5)
    })
    const [child] = children
    assert.equal(child?.signalCode, null, 'the process of the model has to go on')
    await engine.stop()
    await until(() => children.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null))
  })
})
