import assert from 'node:assert/strict'
import { join } from 'node:path'
import { keys, mockPool } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { authWith } from './budgets.kit.ts'
import { drain, endOf, getTask, postTask, proving, resume, sample, startStill, untilState, type Still } from './pools.kit.ts'

const slow = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> =>
  mockPool({
    ...{ id, model: `mock:${id}`, ctx: 512, replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1 } },
    ...{ mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 }, ...fields },
  })

const sampling = { temperature: 0.2 }
const coder = { name: 'coder', aliases: ['claude-*'], pools: ['rack', 'box'], fallback: ['cloud'], defaults: { max_tokens: 100, sampling } }
const config = {
  pools: [slow('rack'), slow('box'), slow('cloud', { ctx: 8192, queue: { capacity: 9 } }), slow('other')],
  models: [coder, { name: 'other', pools: ['other'] }],
  auth: authWith({ guest: { models: ['other'] } }),
}

const assigned = 'placement_decisions_total{outcome="assigned",pinned="false"'

describe('names of models over HTTP', () => {
  let dir: ReturnType<typeof temporaryDir>
  let daemon: Still
  const start = async (more: Record<string, unknown> = {}): Promise<Still> =>
    (daemon = await startStill({ data_dir: join(dir.path, 'data'), ...config, ...more }))
  beforeEach(async () => {
    dir = temporaryDir()
    await start()
  })
  afterEach(async () => {
    await daemon.stop()
    dir.remove()
  })

  const ask = (fields: Record<string, unknown> = {}, key: string = keys.data): Promise<Answer> =>
    postTask(daemon, { model_ref: 'claude-opus-4', engine: undefined, ctx: undefined, ...fields }, key)
  const poolOf = async (fields: Record<string, unknown> = {}): Promise<unknown> => {
    const { status, json, text } = await ask(fields)
    assert.equal(status, 202, text)
    return json['pool_id']
  }
  const refusal = async (fields: Record<string, unknown> = {}, key?: string): Promise<unknown[]> => {
    const { status, json } = await ask(fields, key)
    return [status, json['code'], json['message']]
  }

  it('a task goes where it starts first, then to the fallback where there is no room, and only then it is 429', async () => {
    const pools: unknown[] = []
    for (let i = 0; i < 6; i++) pools.push(await poolOf())
    assert.deepEqual(pools.slice(0, 2), ['rack', 'box'])
    assert.deepEqual(pools.slice(2, 4).toSorted(), ['box', 'rack'])
    assert.deepEqual(pools.slice(4), ['cloud', 'cloud'])
    assert.deepEqual([await sample(daemon, `${assigned},fallback="false"}`), await sample(daemon, `${assigned},fallback="true"}`)], [4, 2])
    for (let i = 0; i < 8; i++) await poolOf()
    assert.deepEqual((await refusal()).slice(0, 2), [429, 'ADMISSION_REJECT'])
  })

  it('a task goes to the fallback where no pool is up, and only then it is 503', async () => {
    for (const pool of ['rack', 'box']) await drain(daemon, pool)
    assert.equal(await poolOf(), 'cloud')
    await drain(daemon, 'cloud')
    assert.deepEqual((await refusal()).slice(0, 2), [503, 'POOL_UNREADY'])
    await resume(daemon, 'box')
    assert.equal(await poolOf(), 'box')
  })

  it('a task goes to the fallback where none can meet its deadline, and only then it is 400', async () => {
    const soon = { deadline_ms: 1900 }
    // What a pool takes is known once it has seen some.
    for (let i = 0; i < 6; i++) {
      for (const pool_id of ['rack', 'box', 'cloud']) await ask({ placement: { mode: 'pin', pin_pool_id: pool_id } })
      await daemon.clock.advance(1000)
    }
    assert.deepEqual([await poolOf(soon), await poolOf(soon), await poolOf(soon)], ['rack', 'box', 'cloud'])
    assert.deepEqual((await refusal(soon)).slice(0, 2), [400, 'DEADLINE_UNMET'])
  })

  it('what the model has by default is in the task, and the same body again is the same task', async () => {
    const task = { task_id: 'a', session_id: 's', seed: 7, max_tokens: undefined, sampling: { top_p: 0.5 } }
    const first = await ask(task)
    assert.equal(first.status, 202, first.text)
    assert.deepEqual((await ask(task)).json, first.json)
    assert.equal((await ask({ ...task, sampling: { top_p: 0.5, ...sampling } })).status, 409)
    await daemon.clock.advance(2000)
    const done = await untilState(daemon, 'a', 'completed')
    assert.equal(done['model_ref'], 'claude-opus-4')
    assert.deepEqual((await ask(task)).json, first.json, 'though it has finished')
    const { json } = await call(daemon.url, `/v1/artifacts/${String(done['artifact_id'])}`, { key: keys.data })
    const { request } = JSON.parse(String(json['content'])) as { readonly request: Record<string, unknown> }
    assert.deepEqual([request['max_tokens'], request['sampling']], [100, { top_p: 0.5, ...sampling }])
  })

  it('a name that is none is 404 with the nearest, and a pool outside of the name is 400', async () => {
    assert.deepEqual(await refusal({ model_ref: 'codr' }), [
      404,
      'NOT_FOUND',
      'body.model_ref: there is no model codr; did you mean coder?',
    ])
    assert.deepEqual((await refusal({ model_ref: 'mock:rack' })).slice(0, 2), [404, 'NOT_FOUND'])
    const pinned = await refusal({ placement: { mode: 'pin', pin_pool_id: 'other' } })
    assert.deepEqual(pinned.slice(0, 2), [400, 'INVALID_PARAMS'])
    assert.match(String(pinned[2]), /^body\.placement\.pin_pool_id: /)
  })

  it('a key that is limited gets 403 for another model, sees its own only, and needs to name none', async () => {
    const message = 'body.model_ref: the key guest may not use the model claude-opus-4'
    assert.deepEqual(await refusal({}, 'guest'), [403, 'FORBIDDEN', message])
    const { status, json } = await ask({ model_ref: undefined }, 'guest')
    assert.deepEqual([status, json['pool_id']], [202, 'other'])
    const seen = async (key: string): Promise<unknown[]> => {
      const { json } = await call(daemon.url, '/v1/capabilities', { key })
      const names = (list: unknown, field: string): unknown[] => (list as Record<string, unknown>[]).map((one) => one[field])
      return [names(json['models'], 'name'), names(json['engines'], 'pool_id')]
    }
    assert.deepEqual(await seen('guest'), [['other'], ['other']])
    assert.deepEqual(await seen(keys.data), [
      ['coder', 'other'],
      ['rack', 'box', 'cloud', 'other'],
    ])
  })

  it('each name that a task may ask for is a model at the doors, also one that only fits a wildcard; lists show those that are written', async () => {
    const at = async (name: string, key: string, version: Record<string, string> = {}): Promise<unknown[]> => {
      const { status, json } = await call(daemon.url, `/v1/models/${encodeURIComponent(name)}`, { key, headers: version })
      return [status, json['id']]
    }
    for (const version of [{}, { 'anthropic-version': '2023-06-01' }]) {
      for (const name of ['coder', 'claude-opus-4']) assert.deepEqual(await at(name, keys.data, version), [200, name])
      for (const name of ['codr', 'mock:rack']) assert.equal((await at(name, keys.data, version))[0], 404)
      assert.deepEqual([await at('other', 'guest', version), (await at('claude-opus-4', 'guest', version))[0]], [[200, 'other'], 404])
    }
    const { json } = await call(daemon.url, '/v1/models', { key: keys.data })
    assert.deepEqual(
      (json['data'] as Record<string, unknown>[]).map(({ id }) => id),
      ['coder', 'other'],
    )
  })

  it('capabilities tell what a model is', async () => {
    const { json } = await call(daemon.url, '/v1/capabilities', { key: keys.data })
    const [model] = json['models'] as Record<string, unknown>[]
    const { ctx_max, ready, features, ...named } = model ?? {}
    assert.deepEqual([named, ctx_max, ready], [coder, 8192, true])
    assert.ok((features as string[]).includes('tools'))
  })

  it('a task that waits under an alias is there after a restart, and runs in a pool that has the name then', async () => {
    const first = await ask({ task_id: 'runs' })
    const second = await ask({ task_id: 'waits', placement: { mode: 'auto', avoid_pools: ['box', 'cloud'] } })
    assert.deepEqual([first.json['pool_id'], second.json['pool_id']], ['rack', 'rack'])
    await daemon.stop()
    await start()
    assert.equal((await getTask(daemon, 'waits'))['pool_id'], 'rack')
    await daemon.stop()
    const later = (fallback: readonly string[]): object => ({ auth: authWith({}), models: [{ ...coder, pools: ['other'], fallback }] })
    await start({ ...later(['rack']) })
    assert.equal((await getTask(daemon, 'waits'))['pool_id'], 'rack')
    await daemon.stop()
    await start({ ...later([]) })
    assert.equal((await getTask(daemon, 'waits'))['pool_id'], 'other')
    const end = endOf(daemon, 'waits')
    await daemon.clock.advance(5000)
    assert.equal((await end).event, 'end')
  })

  it('a task that waits under a name stays in its pool when that is reloaded with another model', async () => {
    const { answer } = await proving(daemon, 'rack', 'mock:new')
    await daemon.clock.advance(500)
    for (const task_id of ['runs', 'waits']) await ask({ task_id, placement: { mode: 'pin', pin_pool_id: 'rack' } })
    await daemon.clock.advance(500)
    assert.equal((await answer).status, 202)
    assert.equal((await untilState(daemon, 'waits', 'running'))['pool_id'], 'rack', 'the new engine has a slot')
    const end = endOf(daemon, 'waits')
    await daemon.clock.advance(5000)
    assert.equal((await end).event, 'end')
  })
})
