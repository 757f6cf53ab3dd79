import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pageOf } from '../../src/handlers/pages.ts'
import type { Principal } from '../../src/domain/principal.ts'

const ann: Principal = { name: 'ann', roles: ['data'] }
const bob: Principal = { name: 'bob', roles: ['data'] }

/** The cursor of the next page of a list, of which the service says `text`. */
const cursorOf = async (what: string, of: Principal, text: string): Promise<string> =>
  (await pageOf(what, of, {}, () => ({ next_cursor: text }))).next_cursor

/** What the service is asked for with a cursor. */
const asked = async (what: string, of: Principal, cursor: string): Promise<string | undefined> => {
  let given: string | undefined
  await pageOf(what, of, { cursor }, (query) => {
    given = query.cursor
    return {}
  })
  return given
}

describe('the cursor of a page', () => {
  const texts = fc.stringMatching(/^[0-9+.-]{1,16}$/)

  it('is the same length whatever it says, and says it to the key and the list that it is of', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const cursor = await cursorOf('tasks', ann, text)
        assert.match(cursor, /^[\w-]{43}$/)
        assert.equal(await asked('tasks', ann, cursor), text)
      }),
    )
  })

  it('is refused for another key, for another list, and where a character was changed', async () => {
    const cursor = await cursorOf('queue of a', ann, '1000+20')
    const refused = { kind: 'invalid_params', message: /^query\.cursor: is none of this list/ }
    await assert.rejects(asked('queue of a', bob, cursor), refused)
    await assert.rejects(asked('queue of b', ann, cursor), refused)
    await fc.assert(
      fc.asyncProperty(fc.nat(cursor.length - 2), async (at) => {
        const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
        await assert.rejects(asked('queue of a', ann, changed), refused)
      }),
    )
  })

  it('tells nobody what it says', async () => {
    const cursor = Buffer.from(await cursorOf('tasks', ann, '1000+20'), 'base64url')
    assert.equal(cursor.includes('1000+20'), false)
  })
})
