import assert from 'node:assert/strict'
import { ApiError } from '../../sdk/src/index.ts'
import { refusal, scripted, stream } from './scripted.ts'

const at = '2026-01-01T00:00:00.000Z'
const snapshot = `id: 0000000000000001-1\nevent: snapshot\ndata: {"at":"${at}"}\n\n`
const changes = (tick: number): string => `id: 0000000000000001-${tick}\nevent: changes\ndata: {"at":"${at}","gone":[${tick}]}\n\n`
const sample = `event: sample\ndata: {"at":"${at}","points":[]}\n\n`

describe('events, against a daemon that follows a script', () => {
  it('goes on after the last event with an id, however often the connection breaks', async () => {
    const { client, asked } = scripted([
      () => stream([snapshot, changes(2), sample, changes(3).slice(0, 20)], 'break'),
      () => {
        throw new TypeError('fetch failed')
      },
      () => refusal(503, { code: 'POOL_UNREADY', retry_after_ms: 700 }),
      () => stream([changes(3)]),
      () => stream([snapshot], 'stay'),
    ])
    const told: string[] = []
    for await (const { event, id } of client.events()) {
      told.push(`${event} ${id ?? ''}`)
      if (told.length === 5) break
    }
    const life = '0000000000000001'
    assert.deepEqual(told, [`snapshot ${life}-1`, `changes ${life}-2`, 'sample ', `changes ${life}-3`, `snapshot ${life}-1`])
    assert.deepEqual(
      asked(),
      ['', ` after ${life}-2`, ` after ${life}-2`, ` after ${life}-2`, ` after ${life}-3`].map((id) => `GET /v1/events${id}`),
    )
  })

  it('asks for what is wished', async () => {
    const { client, requests } = scripted([() => stream([snapshot], 'stay'), () => stream([snapshot], 'stay')])
    await client.events({ pools: ['coder', 'box'], rows: 5, tasks: ['a', 'b'] }).next()
    await client.events({ tasks: [] }).next()
    assert.deepEqual(
      requests.map(({ url }) => Object.fromEntries(new URL(url).searchParams)),
      [{ pools: 'coder,box', rows: '5', tasks: 'a,b' }, {}],
    )
  })

  it('says when the daemon was heard, also where it has no event', async () => {
    let heard = 0
    const { client } = scripted([() => stream([':\n\n', ':\n\n', snapshot], 'stay')])
    await client.events({}, { heard: () => heard++ }).next()
    assert.equal(heard, 3)
  })

  it('says what went wrong between, and when the daemon was heard again', async () => {
    const gone = (): never => {
      throw new TypeError('fetch failed')
    }
    const told: string[] = []
    const { client } = scripted([() => stream([snapshot], 'break'), gone, () => refusal(503, {}), () => stream([snapshot], 'stay')])
    const events = client.events({}, { heard: () => told.push('heard'), failed: ({ name }) => told.push(name) })
    await events.next()
    await events.next()
    assert.deepEqual(told, ['heard', 'ConnectionError', 'ConnectionError', 'ApiError', 'heard'])
  })

  it('ends where its key is not taken any more', async () => {
    const { client } = scripted([() => stream([snapshot]), () => refusal(401, { code: 'UNAUTHENTICATED', retriable: false })])
    const events = client.events()
    assert.equal((await events.next()).done, false)
    await assert.rejects(events.next(), (error) => error instanceof ApiError && error.status === 401)
  })
})
