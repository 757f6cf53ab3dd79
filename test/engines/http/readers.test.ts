import assert from 'node:assert/strict'
import { answerSink } from '../../../src/adapters/engines/http/answer.ts'
import type { AnswerReader } from '../../../src/adapters/engines/http/dialect.ts'
import { ndjson, sse } from '../../../src/adapters/engines/http/framing.ts'
import type { JsonObject } from '../../../src/adapters/engines/http/json.ts'
import { ChatReader } from '../../../src/adapters/engines/http/openai/chat-reader.ts'
import { CompletionReader } from '../../../src/adapters/engines/http/openai/completion-reader.ts'
import { completionLogprobsOf, logprobsOf } from '../../../src/adapters/engines/http/openai/logprobs.ts'
import { OllamaReader } from '../../../src/adapters/engines/ollama/reader.ts'
import { TgiReader } from '../../../src/adapters/engines/tgi/generate.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { GenerateResult } from '../../../src/ports/engine.ts'

/** What a reader makes of these messages, and what comes of it. */
function read(
  make: (onPart: (part: Part) => void) => AnswerReader,
  messages: readonly JsonObject[],
): { parts: Part[]; result: GenerateResult } {
  const parts: Part[] = []
  const reader = make((part) => parts.push(part))
  for (const message of messages) reader.take(message)
  reader.done?.()
  return { parts, result: reader.result() }
}
const chat = (...messages: JsonObject[]) => read((onPart) => new ChatReader(onPart, 7), messages)
const delta = (given: JsonObject, more: JsonObject = {}): JsonObject => ({ choices: [{ index: 0, delta: given, ...more }] })
const over = (finish_reason: string, more: JsonObject = {}): JsonObject => ({ choices: [{ index: 0, delta: {}, finish_reason, ...more }] })

describe('an answer in the form of OpenAI', () => {
  it('has thoughts by either name, and a refusal for a text', () => {
    const { parts } = chat(delta({ reasoning_content: 'a' }), delta({ reasoning: 'b' }), delta({ refusal: 'No.' }), over('stop'))
    assert.deepEqual(parts, [
      { kind: 'reasoning', text: 'a' },
      { kind: 'reasoning', text: 'b' },
      { kind: 'text', text: 'No.' },
    ])
  })

  it('is the first choice alone', () => {
    const other = { choices: [{ index: 1, delta: { content: 'x' }, finish_reason: 'length' }] }
    const { parts, result } = chat(delta({ content: 'a' }), other, over('stop'))
    assert.deepEqual([parts, result.finish_reason], [[{ kind: 'text', text: 'a' }], 'stop'])
  })

  it('has calls that go on, with indexes or without, and no empty pieces', () => {
    const call = (given: JsonObject): JsonObject => delta({ tool_calls: [given] })
    const pieces = (...calls: JsonObject[]): unknown[] =>
      chat(...calls.map(call), over('tool_calls')).parts.map((part) => part.kind === 'tool_call' && [part.index, part.name, part.text])
    const begun = { id: 'c', function: { name: 'f', arguments: '' } }
    const goesOn = { function: { arguments: '{}' } }
    const both = [
      [0, 'f', ''],
      [0, undefined, '{}'],
      [1, 'f', ''],
      [1, undefined, '{}'],
    ]
    assert.deepEqual(pieces(begun, goesOn, begun, goesOn), both)
    const at = (index: number, given: JsonObject): JsonObject => ({ ...given, index })
    assert.deepEqual(pieces(at(0, begun), at(0, goesOn), at(0, { function: { arguments: '' } }), at(1, begun), at(1, goesOn)), both)
    assert.equal(chat(call(begun), over('stop')).result.finish_reason, 'tool_calls')
  })

  it('has one call after the other where the server gives all of them one index, as vLLM, SGLang and Gemini have done', () => {
    const told = (...calls: JsonObject[]): unknown[] =>
      chat(...calls.map((given) => delta({ tool_calls: [given] })), over('tool_calls')).parts.map(
        (part) => part.kind === 'tool_call' && [part.index, part.id, part.name, part.text],
      )
    const at = (index: number, id: string, name: string | null, text: string): JsonObject => ({
      index,
      id,
      type: 'function',
      function: { name, arguments: text },
    })
    assert.deepEqual(told(at(0, 'a', 'f', ''), at(0, '', null, '{}'), at(0, 'b', 'f', ''), at(0, 'b', null, '{}')), [
      [0, 'a', 'f', ''],
      [0, undefined, undefined, '{}'],
      [1, 'b', 'f', ''],
      [1, undefined, undefined, '{}'],
    ])
    assert.deepEqual(told(at(0, 'a', 'f', '{'), at(0, 'a', 'f', '}')).length, 2, 'a call that is told in each of its pieces is one')
    assert.deepEqual(told(at(0, 'a', 'f', '{'), at(0, 'other', null, '}'))[1], [0, undefined, undefined, '}'])
    assert.deepEqual(told(at(3, 'a', 'f', '1'), at(7, 'b', 'g', '2'), at(3, '', null, '3')), [
      [0, 'a', 'f', '1'],
      [1, 'b', 'g', '2'],
      [0, undefined, undefined, '3'],
    ])
  })

  it('has arguments that come as an object', () => {
    const call = { function: { name: 'f', arguments: { city: 'Oslo' } } }
    assert.equal(chat(delta({ tool_calls: [call] }), over('tool_calls')).parts[0]?.text, '{"city":"Oslo"}')
  })

  it('keeps the counts that came, whatever comes behind them', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 3 }, reasoning_tokens: 1 }
    const { result } = chat(
      delta({ content: 'a' }),
      over('stop'),
      { choices: [], usage },
      { choices: [], usage: {} },
      { choices: [], usage: null },
    )
    const told = { tokens_in: 5, tokens_out: 2, tokens_in_cached: 3, tokens_reasoning: 1 }
    assert.deepEqual(result, { finish_reason: 'stop', ...told, kv_warm: true })
    const uncounted = chat(delta({ content: 'a' }), delta({ content: 'b' }), over('length')).result
    assert.deepEqual(uncounted, { finish_reason: 'length', tokens_in: 7, tokens_out: 2, kv_warm: false })
  })

  it('names the stop sequence where it has ended by one, by either name', () => {
    for (const name of ['stop_reason', 'matched_stop']) {
      assert.equal(chat(over('stop', { [name]: 'END' })).result.stop_sequence, 'END')
      assert.equal('stop_sequence' in chat(over('length', { [name]: 'END' })).result, false)
    }
    assert.equal('stop_sequence' in chat(over('stop', { stop_reason: 128_009 })).result, false)
  })

  it('is none where the engine has given it up', () => {
    for (const reason of ['abort', 'error', 'cancelled', 'timeout', 'insufficient_system_resource'])
      assert.throws(() => chat(over(reason)), { kind: 'failed' }, reason)
    assert.throws(() => chat(over('content_filter')), { kind: 'refused' })
    assert.throws(() => chat(delta({ content: 'a' })), { kind: 'broken' })
  })

  it('tells what was likely with the text that it is of, once', () => {
    const logprobs = { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2 }] }] }
    const known = [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2 }] }]
    assert.deepEqual(chat(delta({ content: 'a' }, { logprobs }), delta({ content: 'b' }), over('stop')).parts, [
      { kind: 'text', text: 'a', logprobs: known },
      { kind: 'text', text: 'b' },
    ])
    const plain = { tokens: ['a', 'b'], token_logprobs: [-1, null], top_logprobs: [{ a: -1 }, null] }
    const { parts } = read(
      (onPart) => new CompletionReader(onPart, 7),
      [{ choices: [{ text: '', logprobs: plain }] }, { choices: [{ text: 'ab', finish_reason: 'stop' }] }],
    )
    const likely = [
      { token: 'a', logprob: -1, top_logprobs: [{ token: 'a', logprob: -1 }] },
      { token: 'b', logprob: -100_000, top_logprobs: [] },
    ]
    assert.deepEqual(parts, [{ kind: 'text', text: 'ab', logprobs: likely }])
  })

  it('has likelihoods that are some, of tokens that are text', () => {
    const one = (given: JsonObject): unknown => {
      const [{ token, logprob } = assert.fail()] = logprobsOf([given])
      return [token, logprob]
    }
    assert.deepEqual(one({ token: '\ud83e', logprob: 0.5 }), ['\ufffd', 0])
    assert.deepEqual(one({ token: 1, logprob: -1e9 }), ['', -100_000])
    assert.deepEqual(completionLogprobsOf({ content: [{ token: 'a', logprob: -1 }] }), [{ token: 'a', logprob: -1, top_logprobs: [] }])
  })
})

describe('an answer in the form of Ollama', () => {
  it('says why it has ended, and counts what was not counted', () => {
    const end = (...messages: JsonObject[]) => read((onPart) => new OllamaReader(onPart, 7), messages).result
    const said = { message: { content: 'a' } }
    const call = { message: { tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] } }
    assert.deepEqual(end(said, said, { done: true, done_reason: 'length' }), {
      ...{ finish_reason: 'length', tokens_in: 7, tokens_out: 2, kv_warm: false },
    })
    assert.equal(end(call, { done: true, done_reason: 'length' }).finish_reason, 'length')
    assert.equal(end(call, { done: true, done_reason: 'stop' }).finish_reason, 'tool_calls')
    const told = end({ done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 4 })
    assert.deepEqual([told.finish_reason, told.tokens_in, told.tokens_out], ['stop', 3, 4])
  })
})

describe('an answer in the form of TGI', () => {
  const tgi = (stop: string[] | undefined, ...messages: JsonObject[]) => read((onPart) => new TgiReader(onPart, stop, 7), messages)
  const token = (text: string, more: JsonObject = {}): JsonObject => ({ token: { text, special: false }, ...more })
  const end = { generated_text: 'all', details: { finish_reason: 'length', generated_tokens: 3, input_length: 2 } }

  it('has no special tokens in its text, and all that was held back for a stop sequence', () => {
    const { parts, result } = tgi(['END'], token('a E'), { token: { text: '</s>', special: true }, ...end })
    assert.equal(parts.map(({ text }) => text).join(''), 'a E')
    assert.deepEqual(result, { finish_reason: 'length', tokens_in: 2, tokens_out: 3, kv_warm: false })
  })

  it('ends with the stop sequence that it meets', () => {
    const { parts, result } = tgi(['END'], token('a E'), token('ND b', end))
    assert.equal(parts.map(({ text }) => text).join(''), 'a ')
    assert.deepEqual([result.finish_reason, result.stop_sequence], ['stop', 'END'])
  })
})

describe('messages of an engine’s server', () => {
  const sent = (framing: typeof sse, ...chunks: string[]): string[] => {
    const messages: string[] = []
    const frames = framing((message) => void messages.push(message))
    for (const chunk of chunks) frames.push(Buffer.from(chunk))
    return messages
  }

  it('are taken from streams that say when to come back, and not from a line without end', () => {
    assert.deepEqual(sent(sse, 'retry: soon\ndata: {}\n\n'), ['{}'])
    const endless = 'x'.repeat(1 << 20)
    for (const [framing, begin] of [
      [sse, 'data: '],
      [ndjson, ''],
    ] as const)
      assert.throws(() => sent(framing, begin, ...Array<string>(9).fill(endless)), { kind: 'nonsense' })
    assert.deepEqual(sent(ndjson, '{"a":\n\n', '1}\n', '{"b":2}'), ['{"a":', '1}'])
  })

  it('that follow the end are no part of the answer, and a list is none', () => {
    const texts: string[] = []
    const sink = answerSink(sse, new ChatReader(({ text }) => texts.push(text), 7))
    const write = (message: unknown): boolean =>
      sink.data(Buffer.from(`data: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`))
    assert.throws(() => write([]), { kind: 'nonsense' })
    write(delta({ content: 'a' }, { finish_reason: 'stop' }))
    assert.equal(write('[DONE]'), true)
    assert.equal(write({ error: 'late' }), true)
    assert.deepEqual(texts, ['a'])
  })
})
