import assert from 'node:assert/strict'
import { continued } from '../../../src/adapters/engines/http/continued.ts'
import type { ChatMessage } from '../../../src/domain/task.ts'
import type { GenerateRequest, Prompt } from '../../../src/ports/engine.ts'

const request: GenerateRequest = { prompt: { text: 'p' }, max_tokens: 8, seed: 1, sampling: {}, chat: {}, kv: 'cold', session: 's' }
const promptFor = (prompt: Prompt, continue_from: string): Prompt => continued({ ...request, prompt, continue_from }).prompt

describe('a request that goes on from text', () => {
  it('has it at the end of its prompt', () => {
    assert.deepEqual(promptFor({ text: 'Once ' }, 'upon'), { text: 'Once upon' })
  })

  it('has it as the last words of the assistant, after those that the conversation ends with', () => {
    const user = { role: 'user', content: 'hello' } as const
    const tools = [{ type: 'function', function: { name: 'a' } } as const]
    assert.deepEqual(promptFor({ messages: [user], tools }, 'Hi'), { messages: [user, { role: 'assistant', content: 'Hi' }], tools })
    const open: ChatMessage = { role: 'assistant', content: [{ type: 'text', text: 'Well, ' }] }
    assert.deepEqual(promptFor({ messages: [user, open] }, 'hi'), { messages: [user, { role: 'assistant', content: 'Well, hi' }] })
  })

  it('is as it was where there is none', () => {
    assert.equal(continued(request), request)
  })
})
