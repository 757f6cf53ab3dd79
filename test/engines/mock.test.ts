import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { TextPart } from '../../src/domain/stream/part.ts'
import type { ChatMessage, Tool } from '../../src/domain/task.ts'
import { EngineError, type ChatOptions, type Prompt } from '../../src/ports/engine.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { answerOf, mockOf, never, requestOf, type Answer, type Fields } from './mock.kit.ts'

const say: ChatMessage = { role: 'user', content: 'hello' }
const tool = (name: string, parameters?: Record<string, unknown>): Tool => ({
  type: 'function',
  function: { name, ...(parameters === undefined ? {} : { parameters }) },
})
const read = tool('read', {
  type: 'object',
  properties: { path: { type: 'string' }, lines: { type: 'integer' } },
  required: ['path', 'lines'],
})
const tools = [read, tool('list')]
const withTools: Prompt = { messages: [say], tools }
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

const most = 0xffffffff
const answers = async (count: number, fieldsOf: (seed: number) => Fields): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, seed) => answerOf({ seed: (seed * 7919) % most, ...fieldsOf(seed) })))

describe('mock engine', () => {
  it('can everything that a client may ask an engine for', async () => {
    const { features } = await mockOf().start(() => undefined)
    assert.deepEqual([...features].sort(), [
      ...['audio', 'chat_template', 'continues', 'images', 'json_object', 'json_schema', 'logit_bias', 'logprobs'],
      ...['penalties', 'prefill', 'reasoning', 'stop_sequences', 'tools'],
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
      fc.asyncProperty(fields, fc.nat(), async ({ max_tokens: _, ...request }, at) => {
        const whole = await answerOf(request)
        if (whole.text === '') return
        const points = Array.from(whole.text)
        const given = points.slice(0, 1 + (at % points.length)).join('')
        const rest = await answerOf({ ...request, continue_from: given })
        assert.equal(given + rest.text, whole.text)
        assert.equal(rest.reasoning, '', 'what was thought is not thought again')
        assert.equal(rest.finish_reason, whole.finish_reason)
        let bytes = 0
        const from = whole.parts.filter(({ kind }) => kind === 'text').findIndex((part) => (bytes += part.text.length) === given.length)
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

describe('mock engine: tool calls', () => {
  it('calls where it has to, never where it may not, and about every second time where it may', async () => {
    const count = async (chat: ChatOptions): Promise<number> =>
      (await answers(200, () => ({ prompt: withTools, chat }))).filter(({ calls, finish_reason }) => {
        assert.equal(finish_reason, calls.length > 0 ? 'tool_calls' : 'stop')
        return calls.length > 0
      }).length
    assert.equal(await count({ tool_choice: 'required' }), 200)
    assert.equal(await count({ tool_choice: { type: 'function', function: { name: 'list' } } }), 200)
    assert.equal(await count({ tool_choice: 'none' }), 0)
    for (const chat of [{}, { tool_choice: 'auto' as const }]) {
      const called = await count(chat)
      assert.equal(called > 70 && called < 130, true, String(called))
    }
    assert.equal((await answerOf({ prompt: { messages: [say] } })).calls.length, 0)
  })

  it('calls the tool that is named, and one at a time where the client wants that', async () => {
    const chat: ChatOptions = { tool_choice: { type: 'function', function: { name: 'list' } } }
    for (const { calls } of await answers(50, () => ({ prompt: withTools, chat })))
      assert.deepEqual(
        calls.map(({ name }) => name),
        ['list'],
      )
    const counts = async (parallel_tool_calls?: boolean): Promise<number[]> => {
      const wanted: ChatOptions = { tool_choice: 'required', ...(parallel_tool_calls === undefined ? {} : { parallel_tool_calls }) }
      return [...new Set((await answers(50, () => ({ prompt: withTools, chat: wanted }))).map(({ calls }) => calls.length))].sort()
    }
    assert.deepEqual([await counts(), await counts(true), await counts(false)], [[1, 2], [1, 2], [1]])
  })

  it('tells id and name first, then the arguments in pieces of JSON', async () => {
    const chat: ChatOptions = { tool_choice: 'required' }
    const ids = new Set<string | undefined>()
    let calls = 0
    for (const answer of await answers(50, () => ({ prompt: withTools, chat }))) {
      for (const [index, call] of answer.calls.entries()) {
        const pieces = answer.parts.filter((part) => part.kind === 'tool_call').filter((part) => part.index === index)
        assert.equal(pieces.length > 1, true)
        assert.deepEqual(
          pieces.map(({ id }) => id !== undefined),
          pieces.map((_, at) => at === 0),
        )
        const given = JSON.parse(call.arguments) as Record<string, unknown>
        if (call.name === 'list') assert.deepEqual(given, {})
        else assert.deepEqual([typeof given['path'], Number.isInteger(given['lines'])], ['string', true])
        ids.add(call.id)
        calls++
      }
      assert.equal(answer.tokens_out, answer.parts.length)
    }
    assert.equal(ids.size, calls, 'no id is drawn twice')
  })

  it('breaks off in the middle of a call at max_tokens', async () => {
    const answer = await answerOf({ prompt: { messages: [say], tools: [read] }, chat: { tool_choice: 'required' }, max_tokens: 4 })
    assert.equal(answer.finish_reason, 'length')
    assert.throws(() => JSON.parse(answer.calls[0]?.arguments ?? '{}') as unknown, SyntaxError)
  })

  it('refuses a tool whose arguments nothing fits, before it says anything', async () => {
    const parameters = { type: 'object', properties: { n: { type: 'integer', minimum: 2, maximum: 1 } }, required: ['n'] }
    const asked = answerOf({
      prompt: { messages: [say], tools: [tool('odd', parameters)] },
      chat: { tool_choice: 'required', reasoning_effort: 'low' },
    })
    await assert.rejects(
      asked,
      (error) => error instanceof EngineError && !error.retriable && error.message.startsWith('parameters of the tool odd: #/n: '),
    )
  })
})

describe('mock engine: sampling and logprobs', () => {
  const wordsOf = (answer: Answer): string[] => answer.text.split(' ')

  it('keeps to logit_bias: forbidden words never come, favoured ones always', async () => {
    for (const answer of await answers(30, () => ({ sampling: { logit_bias: { 1: -100, 3: -100 } } })))
      assert.equal(
        wordsOf(answer).some((word) => word === 'river' || word === 'its'),
        false,
      )
    const [one] = await answers(1, () => ({ sampling: { logit_bias: { 1: 100 } } }))
    assert.deepEqual(new Set(one === undefined ? [] : wordsOf(one)), new Set(['river']))
  })

  it('repeats itself less with penalties, and more with negative ones', async () => {
    const different = async (sampling: Fields['sampling'] = {}): Promise<number> =>
      (await answers(30, () => ({ sampling }))).reduce((sum, answer) => sum + new Set(wordsOf(answer)).size, 0)
    const plain = await different()
    for (const field of ['frequency_penalty', 'presence_penalty'] as const) {
      assert.equal((await different({ [field]: 2 })) > plain, true)
      assert.equal((await different({ [field]: -2 })) < plain, true)
      assert.equal(await different({ [field]: 0 }), plain)
    }
  })

  it('tells of each token how likely it was, and what else was likely', async () => {
    for (const top_logprobs of [undefined, 1, 5, 20]) {
      const chat: ChatOptions = { logprobs: true, ...(top_logprobs === undefined ? {} : { top_logprobs }) }
      const { parts } = await answerOf({ chat })
      for (const { text, logprobs } of parts as readonly TextPart[]) {
        const [only, ...others] = logprobs ?? []
        assert.deepEqual([only?.token, others.length, Buffer.from(only?.bytes ?? []).toString()], [text, 0, text])
        const list = only?.top_logprobs ?? []
        assert.equal(list.length, top_logprobs ?? 0)
        assert.deepEqual(
          list.map(({ logprob }) => logprob),
          list.map(({ logprob }) => logprob).sort((a, b) => b - a),
        )
        assert.equal(list.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) <= 1.001, true)
        assert.equal(new Set(list.map(({ token }) => token)).size, list.length)
        const own = list.find(({ token }) => token === text)
        if (own !== undefined) assert.equal(own.logprob, only?.logprob)
      }
    }
    assert.equal((await answerOf({ chat: { logprobs: true } })).text, (await answerOf()).text)
  })

  it('tells it of every token of text that was held back for a stop sequence', async () => {
    const { parts } = await answerOf({ chat: { logprobs: true }, sampling: { stop: ['river again past by'] }, max_tokens: 6 })
    assert.equal(parts.length < 6, true, 'nothing was held back')
    let [text, told] = ['', '']
    for (const { text: piece, logprobs = [] } of parts as readonly TextPart[]) {
      text += piece
      told += logprobs.map(({ token }) => token).join('')
      assert.equal(told.startsWith(text), true, `${told} is told with ${text}`)
    }
    assert.deepEqual([text, told], ['the river again past at the', text])
  })
})

describe('mock engine: what it reads, and how it stops', () => {
  const count = (message: Partial<ChatMessage>, more: { readonly tools?: readonly Tool[] } = {}): Promise<number> =>
    mockOf().countTokens({ messages: [{ role: 'user', content: 'hello', ...message }], ...more })
  const image = (size: number): ChatMessage['content'] => [
    { type: 'text', text: 'hello' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(size)}` } },
  ]
  const sound = (size: number): ChatMessage['content'] => [{ type: 'input_audio', input_audio: { data: 'A'.repeat(size), format: 'wav' } }]

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
      const running = mockOf({ clock, prefill_ms: 10, token_ms: 10 }).generate(requestOf(request), () => void parts++, abort.signal)
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
    assert.equal(never.aborted, false)
  })
})
