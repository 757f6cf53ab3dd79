import assert from 'node:assert/strict'
import { messagesTask } from '../../../src/doors/anthropic/messages-request.ts'

describe('results of tools at the door of Anthropic', () => {
  const messagesOf = (...content: object[]) =>
    messagesTask({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: content as never }] }).request.messages
  const result = (more: object = {}) => ({ type: 'tool_result', tool_use_id: 'c1', content: 'no such file', ...more })

  it('say where the tool has failed', () => {
    assert.deepEqual(messagesOf(result()), [{ role: 'tool', tool_call_id: 'c1', content: 'no such file' }])
    assert.deepEqual(messagesOf(result({ is_error: false })), [{ role: 'tool', tool_call_id: 'c1', content: 'no such file' }])
    assert.deepEqual(messagesOf(result({ is_error: true })), [{ role: 'tool', tool_call_id: 'c1', content: 'Error: no such file' }])
  })

  it('come before what else the user says, which has their pictures', () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' }
    const content = [
      { type: 'text', text: 'a' },
      { type: 'image', source },
      { type: 'text', text: 'b' },
    ]
    assert.deepEqual(messagesOf({ type: 'text', text: 'Look.' }, result({ content })), [
      { role: 'tool', tool_call_id: 'c1', content: 'a\n\nb' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
    ])
  })
})
