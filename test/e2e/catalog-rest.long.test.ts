import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CatalogWorld, manifestOf, modelRequest } from '../harness/catalog.ts'
import { Hub } from '../harness/hub.ts'
import { keys, mockPool, mockTask, talesPool } from '../harness/daemon.ts'
import type { Answer } from '../harness/http.ts'
import { modelsDir } from '../harness/process.ts'
import { readStream, StreamClient } from '../harness/sse.ts'
import { until, untilAnswer } from '../harness/wait.ts'
import { holdAnswers } from './pools.kit.ts'

const bytes = readFileSync(join(modelsDir, 'tinytales.gguf'))
const model = modelRequest('tales', 'file:tales.gguf', [manifestOf('tales.gguf', bytes)])

describe('a pool whose catalog model may not be served', () => {
  let world: CatalogWorld
  /** Starts the daemon with a pool that the configuration gives the catalog model. */
  const start = (): Promise<void> => world.start({}, {}, { pools: [mockPool(), talesPool({ model: 'catalog:tales' })] })
  const pool = (what: string, body?: unknown): Promise<Answer> => world.ask('POST', `/v1/pools/tales/${what}`, body)
  const state = (fields: Record<string, unknown>): Promise<Answer> => world.ask('POST', '/v1/catalog/models/tales/state', fields)
  const health = async (): Promise<{
    live: boolean
    ready: boolean
    draining: boolean
    last_error?: string
    replicas: { state: string; restarts: number; last_error?: string }[]
  }> => (await world.ask('GET', '/v1/pools/tales/health')).json as never
  const untilReplica = (wanted: string): Promise<unknown> => untilAnswer(health, ({ replicas }) => replicas[0]?.state === wanted)
  const task = (fields: Record<string, unknown> = {}): ReturnType<typeof mockTask> =>
    mockTask({ engine: 'llamacpp', model_ref: 'catalog:tales', ctx: 256, max_tokens: 4, prompt: 'Once', ...fields })
  const post = (fields: Record<string, unknown> = {}): Promise<Answer> => world.ask('POST', '/v1/tasks', task(fields))
  /** Has a task accepted and reads its first token. */
  const running = async (fields: Record<string, unknown> = {}): Promise<StreamClient> => {
    const body = task({ max_tokens: 200, seed: 7, ...fields })
    assert.equal((await world.ask('POST', '/v1/tasks', body)).status, 202)
    const client = await StreamClient.open(world.daemon.url, body.task_id, keys.all)
    await client.until(({ tokens }) => tokens.length > 0)
    return client
  }
  beforeEach(() => {
    world = new CatalogWorld()
    world.write('tales.gguf', bytes)
  })
  afterEach(() => world.remove())

  it('rests until somebody registers it, says so, and then comes up by itself', async () => {
    await start()
    const { live, ready, last_error, replicas } = await health()
    assert.deepEqual({ live, ready, last_error }, { live: false, ready: false, last_error: 'No such model in the catalog.' })
    assert.deepEqual(
      replicas.map(({ state: is, restarts, last_error: why }) => ({ is, restarts, why })),
      [{ is: 'stopped', restarts: 0, why: 'No such model in the catalog.' }],
    )
    const refused = await post()
    assert.deepEqual([refused.status, refused.json['code']], [503, 'POOL_UNAVAILABLE'], refused.text)
    assert.match(String(refused.json['message']), /No such model in the catalog/)
    await world.settled(model)
    await untilReplica('ready')
    assert.equal((await health()).last_error, undefined)
    assert.equal((await post()).status, 202)
  })

  it('says while it rests how its model fares', async () => {
    const why = async (): Promise<string> => (await health()).last_error ?? ''
    const hub = await Hub.start()
    try {
      await world.start(
        { hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } },
        {},
        { pools: [talesPool({ model: 'catalog:tales' })] },
      )
      await world.settled(modelRequest('tales', 'hf:org/tiny', [manifestOf('tales.gguf', bytes)]))
      await untilAnswer(why, (is) => is.includes('could not be fetched'))
      hub.put('org/tiny', 'tales.gguf', bytes)
      await world.verify('tales')
      await untilReplica('ready')
      assert.equal(await why(), '')
    } finally {
      await world.stop()
      await hub.stop()
    }
  })

  it('rests from the start past its retirement, refuses to be resumed, and comes up when the model is brought back', async () => {
    await start()
    await world.settled(model)
    await untilReplica('ready')
    await state({ state: 'Retired', deadline_ms: 1 })
    await untilReplica('stopped')
    await world.stop()
    await start()
    const { last_error, replicas } = await health()
    assert.match(last_error ?? '', /is retired/)
    assert.deepEqual(
      replicas.map(({ state: is, restarts }) => [is, restarts]),
      [['stopped', 0]],
    )
    const resumed = await pool('resume')
    assert.deepEqual([resumed.status, resumed.json['code']], [409, 'CONFLICT'], resumed.text)
    assert.match(String(resumed.json['message']), /is retired/)
    await state({ state: 'Active' })
    await untilReplica('ready')
    assert.equal((await post()).status, 202)
  })

  it('is not resumed while it runs empty, and is unloaded all the same', async () => {
    await start()
    await world.settled(model)
    await untilReplica('ready')
    const letGo = holdAnswers(world.daemon, 'tales')
    const reader = await running()
    await state({ state: 'Retired', deadline_ms: 600_000 })
    const { live, ready, draining, last_error } = await health()
    assert.deepEqual({ live, ready, draining }, { live: true, ready: false, draining: true })
    assert.match(last_error ?? '', /is retired/)
    assert.equal((await pool('resume')).status, 409)
    letGo()
    await reader.closed
    assert.equal(reader.terminal?.event, 'end')
    await untilReplica('stopped')
    assert.equal((await world.ask('DELETE', '/v1/catalog/models/tales')).status, 204)
  })

  it('is drained by its operator as well: its deadline does not move, and the drain stays when the model is back', async () => {
    await start()
    await world.settled(model)
    await untilReplica('ready')
    holdAnswers(world.daemon, 'tales')
    const reader = await running()
    await state({ state: 'Retired', deadline_ms: 1 })
    assert.equal((await pool('drain', { deadline_ms: 600_000 })).status, 202)
    await reader.closed
    assert.equal(reader.terminal?.data?.['code'], 'POOL_UNREADY')
    await untilReplica('stopped')
    await state({ state: 'Active' })
    await untilReplica('ready')
    const { ready, draining } = await health()
    assert.deepEqual({ ready, draining }, { ready: false, draining: true })
    assert.equal((await pool('resume')).json['ready'], true)
  })

  it('takes tasks when it is reloaded with another model', async () => {
    await start()
    await world.settled(model)
    await untilReplica('ready')
    await state({ state: 'Retired', deadline_ms: 1 })
    await untilReplica('stopped')
    const reloaded = await pool('reload', { model_ref: 'file:tales.gguf' })
    assert.deepEqual([reloaded.status, reloaded.json['ready'], reloaded.json['draining']], [202, true, false], reloaded.text)
    const body = task({ model_ref: 'file:tales.gguf' })
    assert.equal((await world.ask('POST', '/v1/tasks', body)).status, 202)
    assert.equal((await readStream(world.daemon.url, body.task_id, keys.all)).terminal?.event, 'end')
  })

  it('is not reloaded with a retired model, nor with one that is deleted or retired meanwhile', async () => {
    const begin = (): Promise<void> => world.start({}, {}, { pools: [talesPool({ model: 'file:tales.gguf' })] })
    await begin()
    await world.settled(model)
    for (const path of ['', '/state'] as const) {
      const before = world.daemon.lines.length
      const answer = pool('reload', { model_ref: 'catalog:tales' })
      await until(() => world.daemon.lines.slice(before).some(({ fields }) => fields['event'] === 'replica'))
      const twice =
        path === '' ? await world.ask('DELETE', '/v1/catalog/models/tales') : await state({ state: 'Retired', deadline_ms: 60_000 })
      assert.ok(twice.status < 300, twice.text)
      assert.equal((await answer).status, 409)
      if (path === '') await world.settled(model)
    }
    const retired = await pool('reload', { model_ref: 'catalog:tales' })
    assert.deepEqual([retired.status, retired.json['code']], [409, 'MODEL_DEPRECATED'], retired.text)
    assert.equal((await health()).ready, true)
    await world.stop()
    await begin()
    const { json } = await world.ask('GET', '/v1/pools')
    assert.deepEqual(
      (json['pools'] as { model_ref: string; ready: boolean }[]).map(({ model_ref, ready }) => ({ model_ref, ready })),
      [{ model_ref: 'file:tales.gguf', ready: true }],
    )
  })

  it('rests while its file is not what was registered, and comes up when it is again', async () => {
    await start()
    await world.settled(model)
    await untilReplica('ready')
    const changed = Buffer.from(bytes)
    changed[1_000_000]! ^= 1
    world.write('tales.gguf', changed)
    await world.verify('tales')
    await untilReplica('stopped')
    assert.match((await health()).last_error ?? '', /digest_mismatch/)
    world.write('tales.gguf', bytes)
    assert.equal((await world.verify('tales')).verification?.status, 'pass')
    await untilReplica('ready')
    const { last_error, ready } = await health()
    assert.deepEqual({ last_error, ready }, { last_error: undefined, ready: true })
  })
})
