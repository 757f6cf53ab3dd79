import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ChatMessage, Tool } from '../../src/domain/task.ts'
import type { ChatOptions, Prompt } from '../../src/ports/engine.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { answerOf, mockOf, requestOf, say, tools, withTools, type Answer, type Fields } from './mock.kit.ts'

const seeds = fc.integer({ min: 0, max: 0xffffffff })

/** Any way to ask. */
const fields = fc.record({
  seed: seeds,
  prompt: fc.constantFrom<Prompt>({ text: 'p' }, { messages: [say] }, withTools, {
    messages: [say, { role: 'assistant', content: 'the river' }],
  }),
  max_tokens: fc.integer({ min: 1, max: 60 }),
  sampling: fc.record(
    {
      frequency_penalty: fc.constantFrom(-1, 0.5, 2),
      logit_bias: fc.constantFrom({}, { 1: -100 }, { 3: 4 }),
      stop: fc.constantFrom(['the']),
    },
    { requiredKeys: [] },
  ),
  chat: fc.record<ChatOptions>(
    {
      tool_choice: fc.constantFrom('none', 'auto', 'required'),
      parallel_tool_calls: fc.boolean(),
      reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high'),
      response_format: fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
      logprobs: fc.constant(true),
    },
    { requiredKeys: [] },
  ),
}) as fc.Arbitrary<Fields>

const every = async (check: (fields: Fields) => Promise<void>, numRuns = 100): Promise<void> =>
  fc.assert(fc.asyncProperty(fields, check), { numRuns })

describe('mock engine', () => {
  it('can everything that a client may ask an engine for', async () => {
    const { features } = await mockOf().start(() => undefined)
    assert.deepEqual([...features].sort(), [
      ...['audio', 'chat_template', 'continues', 'images', 'json_object', 'json_schema', 'logit_bias', 'logprobs'],
      ...['penalties', 'prefill', 'reasoning', 'stop_sequences', 'system_messages', 'token_inputs', 'tools'],
    ])
  })

  it('answers a plain task as it always has: the seed decides', async () => {
    const { text, ...rest } = await answerOf({ max_tokens: 8 })
    assert.equal(text, 'the river again past at the bridge and')
    assert.deepEqual([rest.finish_reason, rest.tokens_in, rest.tokens_out, rest.tokens_reasoning], ['length', 1, 8, undefined])
    assert.equal((await answerOf()).finish_reason, 'stop')
    assert.equal((await answerOf({ max_tokens: 32 })).finish_reason, 'stop', 'what is whole is not cut')
    assert.deepEqual((await answerOf({ prompt: { messages: [say] } })).text, (await answerOf()).text)
  })

  it('gives the same parts for the same request', () =>
    every(async (request) => {
      assert.deepEqual(await answerOf(request), await answerOf(request))
    }))

  it('cuts anywhere at max_tokens, and says so', () =>
    every(async ({ max_tokens = 1, ...request }) => {
      const [whole, cut] = [await answerOf(request), await answerOf({ ...request, max_tokens })]
      const text = (answer: Answer): string => answer.parts.map((part) => part.text).join('')
      assert.equal(text(whole).startsWith(text(cut)), true)
      assert.equal(cut.tokens_out, Math.min(max_tokens, whole.tokens_out))
      if (max_tokens < whole.tokens_out) assert.equal(cut.finish_reason, 'length')
      else assert.deepEqual(cut, whole)
    }))

  it('goes on after any text that is its own as if it had not stopped', () =>
    fc.assert(
      fc.asyncProperty(fields, fc.nat(), async (given, at) => {
        const request = { ...given, max_tokens: 100_000 }
        const whole = await answerOf(request)
        if (whole.text === '') return
        const points = Array.from(whole.text)
        const begun = points.slice(0, 1 + (at % points.length)).join('')
        const rest = await answerOf({ ...request, continue_from: begun })
        assert.equal(begun + rest.text, whole.text)
        assert.equal(rest.reasoning, '', 'what was thought is not thought again')
        assert.equal(rest.finish_reason, whole.finish_reason)
        let bytes = 0
        const from = whole.parts.filter(({ kind }) => kind === 'text').findIndex((part) => (bytes += part.text.length) === begun.length)
        if (from >= 0) assert.deepEqual(rest.parts, whole.parts.filter(({ kind }) => kind === 'text').slice(from + 1))
      }),
      { numRuns: 100 },
    ))

  it('goes on with a last message of the assistant, and after a stranger’s text with a whole answer', async () => {
    const { text } = await answerOf()
    const after = async (content: string, more: Fields = {}): Promise<string> =>
      (await answerOf({ prompt: { messages: [say, { role: 'assistant', content }] }, ...more })).text
    assert.equal(await after('the river ag'), text.slice('the river ag'.length))
    assert.equal(await after('Well, '), ` ${text}`)
    assert.equal(await after('Well, ', { continue_from: ' the ri' }), text.slice('the ri'.length))
    assert.equal((await answerOf({ continue_from: `${text} and more` })).text, ` ${text}`)
    assert.equal((await answerOf({ continue_from: text })).text, '')
  })

  it('thinks first where it is asked to, longer with more effort, and the answer stays the same', async () => {
    const { text } = await answerOf()
    const lengths: number[] = []
    for (const reasoning_effort of ['none', 'minimal', 'low', 'medium', 'high'] as const) {
      const answer = await answerOf({ chat: { reasoning_effort } })
      const { length } = answer.parts.filter(({ kind }) => kind === 'reasoning')
      assert.equal(
        answer.parts.slice(0, length).every(({ kind }) => kind === 'reasoning'),
        true,
        'first',
      )
      assert.deepEqual([answer.text, answer.tokens_reasoning, answer.tokens_out], [text, length, length + 32])
      lengths.push(length)
    }
    assert.deepEqual(lengths, [0, 4, 8, 16, 32])
    const cut = await answerOf({ chat: { reasoning_effort: 'high' }, max_tokens: 5 })
    assert.deepEqual([cut.text, cut.tokens_reasoning, cut.finish_reason], ['', 5, 'length'])
  })
})

describe('mock engine: what it reads, and how it stops', () => {
  const count = (message: Partial<ChatMessage>, more: { readonly tools?: readonly Tool[] } = {}): Promise<number> =>
    mockOf().countTokens({ messages: [{ role: 'user', content: 'hello', ...message }], ...more })
  const image = (size: number): NonNullable<ChatMessage['content']> => [
    { type: 'text', text: 'hello' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(size)}` } },
  ]
  const sound = (size: number): NonNullable<ChatMessage['content']> => [
    { type: 'input_audio', input_audio: { data: 'A'.repeat(size), format: 'wav' } },
  ]

  it('counts all that a message has', async () => {
    assert.equal(await count({}), 6)
    const more = [
      await count({ content: image(10) }),
      await count({ content: image(100_000) }),
      await count({ name: 'somebody' }),
      await count({ reasoning_content: 'long thoughts' }),
      await count({ tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }] }),
      await count({}, { tools }),
    ]
    for (const tokens of more) assert.equal(tokens > 6, true, String(more))
    assert.equal((more[1] ?? 0) > (more[0] ?? 0), true)
    assert.equal((await count({ content: sound(100_000) })) > (await count({ content: sound(1000) })), true)
    assert.equal((await answerOf({ prompt: withTools })).tokens_in, await mockOf().countTokens(withTools))
  })

  it('stops within a token when it is aborted, whatever it is saying', async () => {
    for (const request of [
      {},
      { chat: { reasoning_effort: 'high' as const } },
      { prompt: withTools, chat: { tool_choice: 'required' as const } },
    ]) {
      const clock = new FakeClock()
      const abort = new AbortController()
      let parts = 0
      const running = mockOf({ clock, prefill_ms: 10, token_ms: 10 }).generate(requestOf(request), () => parts++, abort.signal)
      running.catch(() => undefined)
      await clock.advance(35)
      assert.equal(parts, 3)
      abort.abort(new Error('enough'))
      await assert.rejects(running, /enough/)
      await clock.advance(1000)
      await settled()
      assert.equal(parts, 3)
    }
    await assert.rejects(
      mockOf().generate(requestOf(), () => undefined, AbortSignal.abort(new Error('before'))),
      /before/,
    )
  })
})
