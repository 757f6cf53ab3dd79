import assert from 'node:assert/strict'
import { keyDigest, keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { feedProblems } from '../../cli/contract/feed.ts'
import { eventsOf, mismatch } from '../harness/contract.ts'
import { call, post } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'

/** A task takes a minute for each token. */
const slowPool = (fields: Record<string, unknown> = {}) =>
  mockPool({ mock: { prefill_ms: 0, token_ms: 60_000, tokens: 8 }, replicas: [{ id: 'r0', slots: 2 }], ...fields })

const problemsOf = ({ raw }: StreamClient, resumed = false): string[] => feedProblems(raw, eventsOf('streamEvents'), mismatch, resumed)

describe('GET /v1/events over a connection', () => {
  let clock: FakeClock
  let daemon: TestDaemon
  const open: StreamClient[] = []
  const watch = async (key: string = keys.all, query = '', last?: string): Promise<StreamClient> => {
    const client = await StreamClient.events(daemon.url, key, query, last)
    open.push(client)
    await client.until(({ frames }) => frames.length > 0)
    return client
  }
  const leave = async (client: StreamClient): Promise<void> => {
    client.response.destroy()
    await until(() => client.response.closed, 'the end of a connection')
  }
  const viewers = async (): Promise<string> =>
    /^feed_viewers (\d+)$/m.exec((await call(daemon.url, '/metrics', { key: keys.all })).text)?.[1] ?? ''

  beforeEach(async () => {
    clock = new FakeClock()
    daemon = await startDaemon({ pools: [slowPool()] }, { clock })
  })
  afterEach(async () => {
    for (const { response } of open.splice(0)) response.destroy()
    await daemon.stop()
  })

  it('tells all there is, then what changes; it is not kept, not held back, and says something every 2 s', async () => {
    const client = await watch()
    assert.equal(client.response.headers['cache-control'], 'no-store')
    assert.equal(client.response.headers['x-accel-buffering'], 'no')
    await post(daemon.url, keys.data, mockTask({ task_id: 'one' }))
    await clock.advance(100)
    await client.until(({ raw }) => raw.includes('"task_id":"one"'))
    // What is told once a second has been told by then.
    await clock.advance(3000)
    const before = client.frames.filter(({ comment }) => comment !== undefined).length
    await clock.advance(4000)
    await client.until(({ frames }) => frames.filter(({ comment }) => comment !== undefined).length >= before + 1)
    assert.deepEqual(problemsOf(client), [])
    assert.deepEqual(
      client.frames.map(({ event }) => event).filter((event) => event === 'snapshot'),
      ['snapshot'],
    )
  })

  it('goes on after a broken connection with what happened meanwhile; a minute later it begins anew', async () => {
    const first = await watch()
    const last = first.frames.at(-1)!.id
    await leave(first)
    await post(daemon.url, keys.data, mockTask({ task_id: 'meanwhile' }))
    await clock.advance(30_000)
    const second = await watch(keys.all, '', last)
    assert.deepEqual(new Set(second.frames.map(({ event }) => event)), new Set(['sample', 'changes']))
    assert.match(second.raw, /"task_id":"meanwhile"/)
    assert.deepEqual(problemsOf(second, true), [])
    const again = second.frames.at(-1)!.id
    await leave(second)
    for (let tries = 0; (await viewers()) !== '0'; tries++) assert.ok(tries < 1000)
    await clock.advance(61_000)
    const third = await watch(keys.all, '', again)
    assert.equal(third.frames[0]?.event, 'snapshot')
  })

  it('begins anew for another wish and another key, whatever id they bring', async () => {
    const first = await watch()
    const id = first.frames.at(-1)!.id
    assert.equal((await watch(keys.all, '?rows=3', id)).frames[0]?.event, 'snapshot')
    assert.equal((await watch(keys.data, '', id)).frames[0]?.event, 'snapshot')
  })

  it('has no timer of its own but that of its samples once nobody watches', async () => {
    const idle = clock.pending
    const client = await watch()
    assert.equal(clock.pending > idle, true)
    await leave(client)
    for (let tries = 0; (await viewers()) !== '0'; tries++) assert.ok(tries < 1000)
    await clock.advance(60_000)
    assert.equal(clock.pending, idle)
  })

  it('is for 8 readers of a key, and a place that is left is free again', async () => {
    const own = await Promise.all(Array.from({ length: 8 }, () => watch(keys.data)))
    const refused = await call(daemon.url, '/v1/events', { key: keys.data })
    assert.equal(refused.status, 429)
    assert.equal(refused.json['policy_label'], 'rate-limit')
    assert.equal(refused.json['code'], 'ADMISSION_REJECT')
    await leave(own[0]!)
    for (let tries = 0; (await viewers()) !== '7'; tries++) assert.ok(tries < 1000)
    await watch(keys.data)
  })

  it('is for 32 readers in all, whoever they are, and tells the next one so', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `reader-${n}`)
    const auth = { keys: names.map((name) => ({ name, key_sha256: keyDigest(name), roles: ['data'] })) }
    const other = await startDaemon({ auth, pools: [slowPool()] }, { clock })
    const readers = await Promise.all(Array.from({ length: 32 }, (_, n) => StreamClient.events(other.url, names[n % 5]!)))
    const refused = await call(other.url, '/v1/events', { key: names[4]! })
    assert.equal(refused.status, 429)
    assert.match(String(refused.json['message']), /32 readers of events/)
    assert.ok(Number(refused.headers['retry-after']) > 0)
    for (const { response } of readers) response.destroy()
    await other.stop()
  })
})
