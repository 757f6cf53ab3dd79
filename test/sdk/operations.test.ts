import assert from 'node:assert/strict'
import { operations } from '../../generated/operations.ts'
import { ApiError, ConnectionError, createClient, type Client } from '../../sdk/src/index.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { collected, scripted } from './scripted.ts'

const digest = `sha256:${'0'.repeat(64)}`
const model = { id: 'm', source_url: 'file:m.gguf', digest, trust_policy: { mode: 'permissive' as const }, manifests: [] }

/** Every method of the client, once. */
const everything = ({ events, tasks, sessions, pools, artifacts, catalog, capabilities, usage, config }: Client): (() => Promise<unknown>)[] => [
  () => tasks.create({ prompt: 'p' }),
  () => tasks.list({ state: 'running' }),
  () => tasks.get('t'),
  () => tasks.stream('t').next(),
  () => tasks.cancel('t'),
  () => sessions.list({ limit: 5 }),
  () => sessions.get('s'),
  () => sessions.put('s', { budgets: { tokens: 5 } }),
  () => sessions.delete('s'),
  () => capabilities(),
  () => events({ rows: 5 }).next(),
  () => usage({ from: '2026-01-01' }),
  () => config(),
  () => pools.list(),
  () => pools.health('p'),
  () => pools.queue('p', { limit: 5 }),
  () => pools.drain('p', { deadline_ms: 0 }),
  () => pools.resume('p'),
  () => pools.reload('p', { model_ref: 'm' }),
  () => pools.load('p'),
  () => pools.unload('p'),
  () => artifacts.create({ kind: 'plan', content: '', tags: [], metadata: {} }),
  () => artifacts.get(digest),
  () => artifacts.list({ kind: 'plan' }),
  () => catalog.create(model),
  () => catalog.get('m'),
  () => catalog.list({ state: 'Active' }),
  () => catalog.delete('m'),
  () => catalog.verify('m'),
  () => catalog.setState('m', { state: 'Retired' }),
]

describe('the operations of the client', () => {
  it('are those of the contract, each once', async () => {
    const refused = (): Response => new Response('{}', { status: 418 })
    const { client, requests } = scripted(Array<typeof refused>(100).fill(refused))
    for (const call of everything(client)) await assert.rejects(call(), ApiError)
    const called = requests.map(({ method, url }) => {
      const { pathname } = new URL(url)
      const fits = Object.entries(operations).filter(
        ([, one]) => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{id\}/, '[^/]+')}$`).test(pathname),
      )
      return fits.map(([id]) => id).join()
    })
    assert.deepEqual(called.sort(), Object.keys(operations).sort())
  })
})

describe('the client, against a daemon', () => {
  let daemon: TestDaemon
  let client: Client
  before(async () => {
    const held = { prefill_ms: 0, token_ms: 60_000, tokens: 8 }
    const pools = [
      mockPool({ mock: { prefill_ms: 0, token_ms: 1, tokens: 8 } }),
      mockPool({ id: 'held', model: 'mock:held', replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1 }, mock: held }),
    ]
    daemon = await startDaemon({ pools })
    client = createClient({ baseUrl: daemon.url, key: keys.all })
  })
  after(() => daemon.stop())

  it('runs a task, and finds it, its session and its transcript', async () => {
    const run = client.tasks.run({ model_ref: 'mock:v1', prompt: 'Hello', session_id: 's1', seed: 3 })
    let text = ''
    let transcript = ''
    for await (const event of run) {
      if (event.event === 'token') text += event.data.t
      if (event.event === 'end') transcript = event.data.artifact_id
    }
    const task = await client.tasks.get(run.task_id)
    assert.deepEqual([task.state, task.seed, task.artifact_id], ['completed', 3, transcript])
    assert.equal(await client.tasks.run({ model_ref: 'mock:v1', prompt: 'Hello', session_id: 's1', seed: 3 }).text(), text)
    assert.equal((await client.sessions.get('s1')).turns, 2)
    assert.equal((await client.artifacts.get(transcript)).kind, 'transcript')
    assert.ok((await client.tasks.list({ session_id: 's1' })).tasks.length === 2)
    await client.sessions.delete('s1')
  })

  it('puts a task in the queue, tells who waits, and cancels by leaving', async () => {
    const first = client.tasks.run({ model_ref: 'mock:held', prompt: 'Hello' })
    for await (const event of first) if (event.event === 'metrics' && event.data.phase !== 'queued') break
    assert.equal((await client.tasks.get(first.task_id)).state, 'canceled')
    const { task_id } = await client.tasks.create({ model_ref: 'mock:held', prompt: 'Hello' })
    assert.deepEqual(
      (await client.pools.queue('held')).entries.map((entry) => entry.task_id),
      [task_id],
    )
    await client.tasks.cancel(task_id)
    await assert.rejects(collected(client.tasks.stream(task_id)), { name: 'TaskFailed', code: 'CANCELED' })
  })

  it('tells what would follow without doing it, and finds what belongs to others', async () => {
    const { task_id } = await client.tasks.create({ model_ref: 'mock:held', prompt: 'Hello', session_id: 's2' })
    const foreseen = await client.pools.foresee.drain('held', { deadline_ms: 0 })
    assert.deepEqual([foreseen.pools, foreseen.running + foreseen.waiting, foreseen.movable], [['held'], 1, 0])
    assert.equal((await client.pools.health('held')).draining, false)
    for (const one of [client.pools.foresee.load, client.pools.foresee.unload]) await assert.rejects(one('held'), { code: 'CONFLICT' })
    const control = createClient({ baseUrl: daemon.url, key: keys.all })
    assert.equal((await control.tasks.get(task_id, { owner: 'all' })).task_id, task_id)
    assert.equal((await control.sessions.get('s2', { owner: 'all' })).turns, 1)
    assert.ok((await control.sessions.list({ owner: 'all' })).sessions.some(({ session_id }) => session_id === 's2'))
    assert.equal((await client.config()).config['data_dir'], ':memory:')
    await client.tasks.cancel(task_id)
    const events = control.tasks.stream(task_id, { owner: 'all' })
    await assert.rejects(collected(events), { name: 'TaskFailed', code: 'CANCELED' })
    await assert.rejects(control.tasks.get(task_id, { owner: 'data' }), { status: 404 })
  })

  it('says what is refused, and when to come back', async () => {
    const held = { model_ref: 'mock:held', prompt: 'Hello' }
    const running = await client.tasks.create(held)
    for await (const event of client.tasks.stream(running.task_id)) if (event.event === 'metrics' && event.data.phase !== 'queued') break
    const taken = [running, await client.tasks.create(held)]
    await assert.rejects(client.tasks.create(held), (error) => {
      assert.ok(error instanceof ApiError)
      assert.deepEqual([error.status, error.code, error.policy_label, error.retriable], [429, 'ADMISSION_REJECT', 'reject', true])
      return error.retry_after_ms !== undefined && error.retry_after_ms > 0
    })
    for (const { task_id } of taken) await client.tasks.cancel(task_id)
    await assert.rejects(client.pools.health('none'), { name: 'ApiError', status: 404, code: 'NOT_FOUND' })
    const stranger = createClient({ baseUrl: daemon.url, key: 'wrong' })
    await assert.rejects(stranger.capabilities(), { name: 'ApiError', status: 403, code: 'FORBIDDEN' })
    await assert.rejects(createClient({ baseUrl: 'http://127.0.0.1:1' }).pools.list(), ConnectionError)
  })
})
