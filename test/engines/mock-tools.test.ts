import assert from 'node:assert/strict'
import { EngineError, type ChatOptions } from '../../src/ports/engine.ts'
import { answerOf, answers, read, say, tool, withTools } from './mock.kit.ts'

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
