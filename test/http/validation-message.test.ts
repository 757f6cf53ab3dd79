import assert from 'node:assert/strict'
import { doorRequestCheck } from '../../src/http/check-request.ts'

/** What is said of a body at a door. */
async function saidOf(id: Parameters<typeof doorRequestCheck>[0], body: object): Promise<string> {
  const check = await doorRequestCheck(id)
  try {
    check({ path: {}, query: {}, header: {}, body })
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

const asked = (content: unknown, role = 'user') => ({ messages: [{ role, content }] })

describe('what is said of a field that may have several forms', () => {
  it('is about the form that was meant', async () => {
    const picture = { type: 'image_url', image_url: 'data:image/png;base64,AAAA' }
    assert.equal(await saidOf('createChatCompletion', asked([picture])), 'body.messages.0.content.0.image_url: must be object')
    assert.equal(await saidOf('createChatCompletion', asked([{ text: 'a' }])), 'body.messages.0.content.0.type: is required')
    const results = asked([{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 1 }] }])
    assert.equal(await saidOf('createMessage', results), 'body.messages.0.content.0.content.0.text: must be string')
    assert.equal(await saidOf('createRerank', { query: 'a', documents: [{}] }), 'body.documents.0.text: is required')
    assert.equal(await saidOf('createRerank', { query: 'a', documents: [''] }), 'body.documents.0: must NOT have fewer than 1 characters')
  })

  it('names every form where none was', async () => {
    assert.equal(await saidOf('createChatCompletion', asked(5)), 'body.messages.0.content: must be string or array')
    assert.equal(await saidOf('createRerank', { query: 'a', documents: [5] }), 'body.documents.0: must be string or object')
  })
})
