import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CatalogWorld, manifestOf, modelRequest } from '../harness/catalog.ts'
import { keys, mockPool, mockTask, talesPool } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { modelsDir } from '../harness/process.ts'
import { untilAnswer } from '../harness/wait.ts'

const bytes = readFileSync(join(modelsDir, 'tinytales.gguf'))
const model = modelRequest('tales', 'file:tales.gguf', [manifestOf('tales.gguf', bytes)])
const task = (): Record<string, unknown> =>
  mockTask({ engine: 'llamacpp', model_ref: 'catalog:tales', ctx: 128, max_tokens: 4, prompt: 'Once' })

describe('a pool that serves a catalog model', () => {
  let world: CatalogWorld
  const replicaState = async (): Promise<unknown> => {
    const { json } = await world.ask('GET', '/v1/pools/tales/health')
    return (json['replicas'] as { state: string }[])[0]?.state
  }
  const state = (fields: Record<string, unknown>): Promise<unknown> => world.ask('POST', '/v1/catalog/models/tales/state', fields)
  beforeEach(async () => {
    world = new CatalogWorld()
    world.write('tales.gguf', bytes)
    await world.start({}, {}, { pools: [mockPool(), talesPool({ model: 'file:tales.gguf' })] })
    await world.settled(model)
    const reloaded = await world.ask('POST', '/v1/pools/tales/reload', { model_ref: 'catalog:tales' })
    assert.equal(reloaded.status, 202, reloaded.text)
  })
  afterEach(() => world.remove())

  it('refuses new tasks of a retired model, unloads it at the deadline, keeps its record and takes it back', async () => {
    assert.equal((await world.ask('POST', '/v1/tasks', task())).status, 202)
    assert.equal((await world.ask('DELETE', '/v1/catalog/models/tales')).status, 409)
    await state({ state: 'Retired', deadline_ms: 1 })
    const refused = await world.ask('POST', '/v1/tasks', task())
    assert.equal(refused.status, 409, refused.text)
    assert.equal(refused.json['code'], 'MODEL_DEPRECATED')
    await untilAnswer(replicaState, (is) => is === 'stopped')
    assert.equal((await world.get('tales')).state, 'Retired')
    await state({ state: 'Active' })
    await untilAnswer(replicaState, (is) => is === 'ready')
    assert.equal((await world.ask('POST', '/v1/tasks', task())).status, 202)
    await state({ state: 'Retired', deadline_ms: 1 })
    await untilAnswer(replicaState, (is) => is === 'stopped')
    assert.equal((await world.ask('DELETE', '/v1/catalog/models/tales')).status, 204)
  })

  it('refuses tasks and reloads of a model that failed its verification, and counts it under the engine', async () => {
    const changed = Buffer.from(bytes)
    changed[1_000_000]! ^= 1
    world.write('tales.gguf', changed)
    assert.equal((await world.verify('tales')).verification?.reason, 'digest_mismatch')
    const refused = await world.ask('POST', '/v1/tasks', task())
    assert.equal(refused.status, 409, refused.text)
    assert.match(String(refused.json['message']), /failed its verification \(digest_mismatch/)
    const reload = await world.ask('POST', '/v1/pools/tales/reload', { model_ref: 'catalog:tales' })
    assert.equal(reload.status, 409)
    assert.match(String(reload.json['message']), /failed its verification/)
    const { text } = await call(world.daemon.url, '/metrics')
    assert.match(text, /catalog_verifications_total\{result="fail",reason="digest_mismatch",engine="llamacpp"\} 1/)
  })

  it('comes up again when its model was retired, forgotten and is registered again', async () => {
    await state({ state: 'Retired', deadline_ms: 1 })
    await untilAnswer(replicaState, (is) => is === 'stopped')
    assert.equal((await world.ask('DELETE', '/v1/catalog/models/tales')).status, 204)
    await world.settled(model)
    await untilAnswer(replicaState, (is) => is === 'ready')
    assert.equal((await world.ask('POST', '/v1/tasks', task())).status, 202)
  })

  it('is not reloaded with a model nobody registered', async () => {
    const reload = await world.ask('POST', '/v1/pools/tales/reload', { model_ref: 'catalog:nobody' }, keys.control)
    assert.equal(reload.status, 409)
    assert.match(String(reload.json['message']), /No such model in the catalog/)
  })
})
