import assert from 'node:assert/strict'
import { messagesTask } from '../../../src/doors/anthropic/messages-request.ts'

describe('what is to be read at the door of Anthropic', () => {
  const read = (block: object) => messagesTask({ messages: [{ role: 'user', content: [block as never] }] }).request.messages?.[0]?.content
  const text = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))

  it('has its title and what is said of it', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'Foxes are red.' }
    assert.equal(read({ type: 'document', source }), 'Foxes are red.')
    assert.equal(read({ type: 'document', title: 'Foxes', context: 'From 1990.', source }), 'Foxes\n\nFrom 1990.\n\nFoxes are red.')
  })

  it('may come in pieces, and from a search', () => {
    const content = text('Foxes are red.', 'Bears are not.')
    assert.equal(read({ type: 'document', title: null, source: { type: 'content', content } }), 'Foxes are red.\n\nBears are not.')
    assert.equal(read({ type: 'document', source: { type: 'content', content: 'Foxes.' } }), 'Foxes.')
    const found = { type: 'search_result', title: 'Foxes', source: 'https://foxes.example', content }
    assert.equal(read(found), 'Foxes\n\nhttps://foxes.example\n\nFoxes are red.\n\nBears are not.')
    const pictured = { type: 'document', source: { type: 'content', content: [{ type: 'image', source: {} }] } }
    assert.throws(() => read(pictured), /source: /)
    assert.throws(() => read({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } }), /source: /)
  })
})

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
