import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { createLlamaCppEngine } from '../../src/adapters/engines/llamacpp/engine.ts'
import { EngineError, type ChatOptions, type GenerateRequest, type GenerateResult } from '../../src/ports/engine.ts'
import { repeats } from '../harness/long.ts'
import { formatFor } from './grammar.kit.ts'
import { validator, type Schema } from './mock-json.kit.ts'

const model_path = fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url))
const never = new AbortController().signal
const messages = [{ role: 'user' as const, content: 'Tell me a story about a fox.' }]

const tale: Schema = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 24 },
    animal: { enum: ['fox', 'owl', 'ördög "x"\n'] },
    age: { type: ['integer', 'null'], minimum: -3, maximum: 117 },
    weight: { type: 'number', exclusiveMinimum: 0, maximum: 12 },
    tags: { type: 'array', items: { type: 'string', maxLength: 8 }, minItems: 1, maxItems: 3 },
    born: { type: 'string', format: 'date' },
    friend: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/friend' }] },
  },
  required: ['title', 'animal', 'age', 'weight', 'tags', 'friend'],
  additionalProperties: false,
  $defs: {
    friend: { type: 'object', properties: { name: { type: 'string', maxLength: 8 } }, required: ['name'], additionalProperties: false },
  },
}

interface Answer extends GenerateResult {
  readonly text: string
  readonly parts: number
}

describe('llama.cpp engine: formats', function () {
  this.timeout(900_000)
  const options = { model_path, ctx: 512, threads: 1, gpu: false, temperature: 0.7, onOutput: () => undefined }
  const engine = createLlamaCppEngine({ ...options, slots: 2 })

  before(() => engine.start((reason) => assert.fail(reason)))
  after(() => engine.stop())

  async function answerOf(
    response_format: ChatOptions['response_format'],
    given: Partial<GenerateRequest> = {},
    by = engine,
  ): Promise<Answer> {
    let [text, parts] = ['', 0]
    const shared = { prompt: { messages }, max_tokens: 400, seed: 7, sampling: { temperature: 1 }, kv: 'cold' as const, session: 's' }
    const chat = response_format === undefined ? {} : { response_format }
    const result = await by.generate(
      { ...shared, chat, ...given },
      (part) => {
        text += part.text
        parts++
      },
      never,
    )
    return { ...result, text, parts }
  }

  it('gives what fits a schema, ends by itself, and tells each token once', async () => {
    const check = validator(tale)
    for (let seed = 0; seed < repeats({ quick: 12, long: 200 }); seed++) {
      const { text, finish_reason, tokens_in, tokens_out, parts } = await answerOf(formatFor(tale), { seed })
      assert.equal(finish_reason, 'stop', text)
      // Of bytes that write a character with more of them than it has, llama.cpp's grammar counts one character; they are read as several U+FFFD.
      check(JSON.parse(text.replace(/\ufffd+/g, '\ufffd')))
      assert.equal(tokens_in, 13)
      // A character of several tokens comes with its last one.
      assert.ok(parts <= tokens_out && parts > tokens_out * 0.8, `${parts} parts of ${tokens_out} tokens`)
    }
  })

  it('gives an object where no schema is given', async () => {
    let ended = 0
    for (let seed = 0; seed < repeats({ quick: 6, long: 60 }); seed++) {
      const { text, finish_reason } = await answerOf({ type: 'json_object' }, { seed })
      assert.match(text, /^\{/)
      if (finish_reason !== 'stop') continue
      ended++
      assert.equal(typeof JSON.parse(text), 'object')
    }
    assert.ok(ended > 0)
  })

  it('never writes tokens that are no text, and can write what they are called', async () => {
    const { text, tokens_out } = await answerOf(formatFor({ enum: ['<|user|></s>'] }))
    assert.equal(text, '"<|user|></s>"')
    assert.ok(tokens_out > 5, `${tokens_out} tokens`)
  })

  it('gives the same bytes again for a seed, beside others and in another process', async () => {
    const seeds = [1, 2, 3]
    const alone: string[] = []
    for (const seed of seeds) alone.push((await answerOf(formatFor(tale), { seed })).text)
    const plain = { prompt: { messages }, seed: 9, session: 'other' }
    const [together] = await Promise.all([
      Promise.all(seeds.map(async (seed) => (await answerOf(formatFor(tale), { seed, session: `${seed}` })).text)),
      answerOf(undefined, plain),
    ])
    assert.deepEqual(together, alone)
    const other = createLlamaCppEngine({ ...options, slots: 1 })
    await other.start((reason) => assert.fail(reason))
    assert.equal((await answerOf(formatFor(tale), { seed: 2 }, other)).text, alone[1])
    await other.stop()
  })

  it('is cut by max_tokens and by a stop sequence as any answer', async () => {
    const cut = await answerOf(formatFor(tale), { max_tokens: 5 })
    assert.deepEqual([cut.finish_reason, cut.tokens_out], ['length', 5])
    const stopped = await answerOf(formatFor(tale), { sampling: { stop: ['"animal"'] } })
    assert.equal(stopped.finish_reason, 'stop')
    assert.match(stopped.text, /^\{\s*"title":[^]*,\s*$/)
  })

  it('stops within a token of an abort, and the slot serves the next', async () => {
    const abort = new AbortController()
    let parts = 0
    const asked: GenerateRequest = {
      ...{ prompt: { messages }, max_tokens: 400, seed: 1, sampling: {}, kv: 'cold', session: 's' },
      chat: { response_format: { type: 'json_object' } },
    }
    const running = engine.generate(asked, () => ++parts === 4 && abort.abort(new Error('enough')), abort.signal)
    await assert.rejects(running, /enough/)
    assert.equal(parts, 4)
    JSON.parse((await answerOf(formatFor(tale))).text)
  })

  it('refuses what no grammar holds, also where nobody asked before', async () => {
    await assert.rejects(
      answerOf(formatFor({ type: 'string', pattern: '^a' })),
      (error) => error instanceof EngineError && !error.retriable && error.message.includes('schema.pattern'),
    )
  })

  it('takes grammars as large as they may be, and those with the most open ways', async () => {
    const all = [
      { enum: Array.from({ length: 1000 }, (_, i) => `the same beginning ${i}`) },
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`p ${i}`, { type: 'integer', minimum: i }])),
      },
      { type: 'array', items: { type: 'string', minLength: 2000 }, minItems: 2000 },
      { anyOf: Array.from({ length: 9 }, (_, i) => ({ type: 'string', maxLength: 2000 - i })) },
      { anyOf: Array.from({ length: 128 }, (_, i) => ({ type: 'string', maxLength: i + 1 })) },
    ]
    for (const schema of all) {
      const { text } = await answerOf(formatFor(schema), { max_tokens: 12 })
      assert.ok(text.length > 0, JSON.stringify(schema).slice(0, 80))
    }
  })
})
