import assert from 'node:assert/strict'
import { messageUsage } from '../../src/doors/anthropic/message-frames.ts'
import { usageOf } from '../../src/doors/openai/chat-frames.ts'
import { responseOf } from '../../src/doors/openai/responses/response.ts'
import { ended, headOf } from './openai/responses/parts.kit.ts'

const end = { ...ended, finish_reason: 'stop' as const, tokens_in: 9, tokens_out: 4 }

describe('tokens of a prompt that the engine had in its cache', () => {
  it('are beside the input at the door of Anthropic, and once in all', () => {
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = messageUsage({
      ...end,
      tokens_in_cached: 5,
    })
    assert.deepEqual([input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens], [4, 5, 0, 4])
    assert.equal(messageUsage({ ...end, tokens_in_cached: 12 }).input_tokens, 0, 'some engines count the cached ones otherwise')
    assert.deepEqual([messageUsage(end).input_tokens, messageUsage(end).cache_read_input_tokens], [9, 0])
  })

  it('are a part of the input at the door of OpenAI', () => {
    const { prompt_tokens, prompt_tokens_details, total_tokens } = usageOf({ ...end, tokens_in_cached: 5 })
    assert.deepEqual([prompt_tokens, prompt_tokens_details?.cached_tokens, total_tokens], [9, 5, 13])
    assert.equal(usageOf(end).prompt_tokens_details?.cached_tokens, 0)
    const { usage } = responseOf(headOf({ background: false, summary: false }), [], { end: { ...end, tokens_in_cached: 5 } })
    assert.deepEqual([usage?.input_tokens, usage?.input_tokens_details.cached_tokens, usage?.total_tokens], [9, 5, 13])
  })
})
