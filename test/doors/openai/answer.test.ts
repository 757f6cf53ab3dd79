import assert from 'node:assert/strict'
import { WholeAnswer } from '../../../src/doors/common/whole-answer.ts'
import { messageAnswer } from '../../../src/doors/anthropic/message-answer.ts'
import { MessageFrames } from '../../../src/doors/anthropic/message-frames.ts'
import { chatCompletion } from '../../../src/doors/openai/chat-answer.ts'
import { ChatFrames } from '../../../src/doors/openai/chat-frames.ts'
import { completionAnswer, CompletionFrames } from '../../../src/doors/openai/completion-frames.ts'
import { embeddingList, rankingOf } from '../../../src/doors/openai/vectors.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { TerminalEvent } from '../../../src/domain/stream/task-events.ts'
import { ended } from './responses/parts.kit.ts'

const head = { task_id: 't', accepted_at: 1_999, model: 'm', prompt_tokens: 5 }
const end = { end: { ...ended, finish_reason: 'stop' as const } }
const text = (of: string, ...tokens: string[]): Part => ({
  kind: 'text',
  text: of,
  ...(tokens.length === 0 ? {} : { logprobs: tokens.map((token) => ({ token, logprob: -1, top_logprobs: [] })) }),
})
const thought: Part = { kind: 'reasoning', text: 'hm' }
const call = (of: string, begins = true): Part => ({ kind: 'tool_call', index: 0, text: of, ...(begins ? { id: 'c1', name: 'look' } : {}) })
const failure = (retriable: boolean): TerminalEvent => ({ error: { code: 'WORKER_RESET', message: 'It ended.', retriable } })

const answerOf = (...parts: Part[]): WholeAnswer => {
  const answer = new WholeAnswer()
  for (const part of parts) answer.part(part)
  answer.terminal(end)
  return answer
}
const dataOf = (frames: string): Record<string, unknown>[] =>
  [...frames.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json) as Record<string, unknown>)

describe('whole answers', () => {
  it('of a chat have no text where only tools are called', () => {
    const message = (...parts: Part[]) => chatCompletion(head, answerOf(...parts)).choices[0]?.message
    assert.deepEqual(message(call('{}'))?.content, null)
    assert.deepEqual(message(text('a'), call('{}'))?.content, 'a')
    assert.deepEqual(message()?.content, '')
    assert.deepEqual(message(thought)?.content, '')
    const whole = chatCompletion(head, answerOf(text('ab', 'a'), text('c', 'b', 'c')))
    const { content } = whole.choices[0]?.logprobs as { content: { token: string }[] }
    assert.deepEqual([whole.created, content.map(({ token }) => token)], [1, ['a', 'b', 'c']])
  })

  it('of a message have a text unless something else is there, and an object for what a tool is given', () => {
    const content = (...parts: Part[]) => messageAnswer(head, answerOf(...parts)).content
    assert.deepEqual(content(), [{ type: 'text', text: '' }])
    assert.deepEqual(content(thought), [{ type: 'thinking', thinking: 'hm', signature: '' }])
    for (const [json, input] of [
      ['{"a":1}', { a: 1 }],
      ['', {}],
      ['1', {}],
      ['null', {}],
      ['{"a', {}],
    ] as const)
      assert.deepEqual(content(call(json)), [{ type: 'tool_use', id: 'c1', name: 'look', input }])
  })

  it('of vectors are numbers, or those as four bytes each', () => {
    const vectors = [[1, -2.5]]
    assert.deepEqual(embeddingList({ input: 'a' }, vectors, 3).data[0]?.embedding, [1, -2.5])
    const packed = Buffer.from(String(embeddingList({ input: 'a', encoding_format: 'base64' }, vectors, 3).data[0]?.embedding), 'base64')
    assert.deepEqual([packed.length, packed.readFloatLE(0), packed.readFloatLE(4)], [8, 1, -2.5])
  })

  it('of a ranking are the best first, as many as were asked for', () => {
    const documents = ['a', { text: 'b' }, 'c']
    const ranking = (more: object) => rankingOf({ query: 'q', documents, ...more }, [1, 3, 2], 7)
    assert.deepEqual(
      ranking({}).results.map(({ index }) => index),
      [1, 2, 0],
    )
    assert.deepEqual(ranking({ top_n: 1, return_documents: true }).results, [{ index: 1, relevance_score: 3, document: { text: 'b' } }])
    assert.deepEqual(ranking({}).usage, { prompt_tokens: 7, total_tokens: 7 })
  })
})

describe('answers in frames', () => {
  it('of a chat begin with the role, also where nothing is said', () => {
    const frames = new ChatFrames(head, true)
    const [last] = dataOf(frames.terminal(end)) as { choices: { delta: object }[]; usage: unknown }[]
    assert.deepEqual([last?.choices[0]?.delta, last?.usage], [{ role: 'assistant', content: '' }, null])
    const plain = new ChatFrames(head, false)
    const [first] = dataOf(plain.part(text('a'))) as { choices: { delta: object }[] }[]
    assert.deepEqual(first?.choices[0]?.delta, { role: 'assistant', content: 'a' })
    const [after] = dataOf(plain.terminal(end)) as { choices: { delta: object }[] }[]
    assert.deepEqual([after?.choices[0]?.delta, 'usage' in (after ?? {})], [{}, false])
  })

  it('of a completion count the characters of what was said before', () => {
    const frames = new CompletionFrames(head, false)
    const offsets = [text('🦊a', '🦊', 'a'), text('b', 'b')].map((part) => {
      const [frame] = dataOf(frames.part(part)) as { choices: { logprobs: { text_offset: number[] } }[] }[]
      return frame?.choices[0]?.logprobs.text_offset
    })
    assert.deepEqual(offsets, [[0, 1], [2]])
    const whole = completionAnswer(head, answerOf(text('🦊a', '🦊', 'a'), text('b', 'b')))
    assert.deepEqual(whole.choices[0]?.logprobs?.text_offset, [0, 1, 2])
  })

  it('that fail say whether the same request may succeed', () => {
    const typeOf = (frames: string): unknown => (dataOf(frames)[0]?.['error'] as { type: unknown } | undefined)?.type
    for (const Frames of [ChatFrames, CompletionFrames])
      assert.deepEqual(
        [true, false].map((retriable) => typeOf(new Frames(head, false).terminal(failure(retriable)))),
        ['server_error', 'invalid_request_error'],
      )
    assert.deepEqual(
      [true, false].map((retriable) => typeOf(new MessageFrames(head).terminal(failure(retriable)))),
      ['overloaded_error', 'api_error'],
    )
  })

  it('of a message have a call begin before there is anything of what it is given', () => {
    const frames = new MessageFrames(head)
    const types = (part: Part): unknown[] => dataOf(frames.part(part)).map(({ type }) => type)
    assert.deepEqual(types(call('')), ['message_start', 'content_block_start'])
    assert.deepEqual(types(call('{}', false)), ['content_block_delta'])
    assert.deepEqual(types(text('a')), ['content_block_stop', 'content_block_start', 'content_block_delta'])
  })
})
