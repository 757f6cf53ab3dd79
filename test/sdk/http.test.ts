import assert from 'node:assert/strict'
import { createClient } from '../../sdk/src/index.ts'
import { scripted } from './scripted.ts'

const refused = (): Response => new Response('{}', { status: 418 })

describe('requests of the client', () => {
  it('name the owner where they are about what belongs to another key', async () => {
    const { client, requests } = scripted(Array<typeof refused>(20).fill(refused))
    const { tasks, sessions, artifacts } = client
    const signal = new AbortController().signal
    const owned = { owner: 'ann', signal }
    const calls = [
      () => tasks.get('a', owned),
      () => tasks.cancel('a', owned),
      () => tasks.stream('a', owned).next(),
      () => sessions.get('a', owned),
      () => sessions.delete('a', owned),
      () => artifacts.get('a', owned),
    ]
    for (const call of calls) await assert.rejects(call(), { status: 418 })
    assert.deepEqual(
      requests.map(({ url }) => new URL(url).search),
      calls.map(() => '?owner=ann'),
    )
  })

  it('have the key and the headers that were given, and go to this machine unless told otherwise', async () => {
    const sent: Request[] = []
    const client = createClient({
      key: 'k',
      headers: { 'X-Of-Mine': '1' },
      fetch: (request) => {
        sent.push(request)
        return Promise.resolve(Response.json({ pools: [] }))
      },
    })
    await client.pools.list()
    const [request] = sent
    assert.deepEqual(
      [request?.url, request?.headers.get('x-api-key'), request?.headers.get('x-of-mine')],
      ['http://127.0.0.1:8080/v1/pools', 'k', '1'],
    )
  })
})
