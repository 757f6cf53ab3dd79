import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type Rig, type RigOptions, type TaskFields } from '../../harness/rig.ts'

const pool = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> =>
  poolConfig({ id, model: `mock:${id}`, ...fields })
const coder = { name: 'coder', aliases: ['claude-*'], pools: ['rack', 'box'], fallback: ['cloud'] }
const options: RigOptions = { pools: ['rack', 'box', 'cloud'].map((id) => pool(id)), models: [coder] }

const start = (more: RigOptions = {}): Promise<Rig> => startRig({ ...options, ...more })
const again = (rig: Rig, more: RigOptions = {}): Promise<Rig> => start({ storage: rig.storage, clock: rig.clock, ...more })
const ask = (task_id: string, fields: TaskFields = {}): TaskFields => ({ task_id, model_ref: 'claude-opus', engine: undefined, ...fields })
const only = (id: string): TaskFields => ({ placement: { mode: 'prefer', prefer_pools: [id] } })
const where = (rig: Rig, task_id: string): string => rig.task(task_id).pool.id
const end = async (rig: Rig, task_id: string): Promise<unknown> => (await rig.tail(task_id)).end?.['code']

describe('a pool that drains or fails, and what it has under a name', () => {
  it('moves it to the other pools of the name, and to the fallback where none has room', async () => {
    const rig = await start({ pools: [pool('rack'), pool('box', { queue: { capacity: 1 } }), pool('cloud')] })
    for (const task_id of ['runs', 'first', 'second']) await rig.run(ask(task_id, only('rack')))
    for (const task_id of ['fills']) await rig.run(ask(task_id, only('box')))
    await rig.drain.order('rack', 60_000)
    await settled()
    assert.deepEqual(
      ['runs', 'first', 'second'].map((id) => where(rig, id)),
      ['rack', 'box', 'cloud'],
    )
    rig.engine('cloud/r0').call.finish()
    await settled()
    assert.equal((await rig.tail('second')).kinds, 'started metrics end')
  })

  it('leaves it where its budget does not pay for the others', async () => {
    const prices = { input_per_million: 1, output_per_million: 1 }
    const rig = await start({
      pools: [pool('rack'), pool('box', { prices }), pool('cloud', { prices })],
      keyBudgets: new Map([['ann', { cost: 1 }]]),
    })
    for (const task_id of ['runs', 'waits']) await rig.run(ask(task_id, only('rack')))
    await rig.drain.order('rack', 60_000)
    assert.equal(where(rig, 'waits'), 'rack')
  })

  it('lets what has begun go on with the same model only', async () => {
    const props = { replayable: false, features: ['continues' as const] }
    const rig = await start({ props, pools: [pool('rack'), pool('box'), pool('cloud', { model: 'mock:rack' })] })
    await rig.run(ask('begun', only('rack')))
    rig.engine('rack/r0').call.say('one ')
    rig.engine('rack/r0').onStart = () => new Promise(() => undefined)
    rig.engine('rack/r0').die()
    await settled()
    assert.equal(where(rig, 'begun'), 'cloud')
  })
})

describe('a reload, and what waits under a name', () => {
  it('keeps it in the pool that has the name, whatever that serves now', async () => {
    const rig = await start({ models: [{ ...coder, pools: ['rack'], fallback: [] }] })
    for (const task_id of ['runs', 'waits']) await rig.run(ask(task_id))
    await Promise.all([rig.reload.reload('rack', 'mock:new', 60_000), settled().then(() => rig.engine('rack/r0').call.finish())])
    await settled()
    assert.equal(rig.task('waits').pool.config.model, 'mock:new')
    rig.engine('rack/r0').call.finish()
    await settled()
    assert.equal((await rig.tasks.get(ann, 'waits')).state, 'completed')
  })

  it('keeps what waits under the id of the pool, and not what waits for the old model', async () => {
    const rig = await start({ models: [] })
    for (const task_id of ['runs', 'by-id']) await rig.run(ask(task_id, { model_ref: 'rack' }))
    await rig.run(ask('by-model', { model_ref: 'mock:rack' }))
    const old = rig.engine('rack/r0')
    const flipped = rig.reload.reload('rack', 'mock:new', 60_000)
    await settled()
    rig.engine('rack/r0').call.finish()
    await flipped
    await settled()
    assert.deepEqual(
      ['by-id', 'by-model'].map((id) => rig.task(id).pool.config.model),
      ['mock:new', 'mock:rack'],
    )
    old.call.finish()
    await settled()
    assert.equal(old.running.length, 1, 'the old engine works its own off')
  })
})

describe('a restart, and what waits under a name', () => {
  it('is where it was, whichever of its names it has', async () => {
    const rig = await start()
    await rig.run(ask('a', only('box')))
    assert.equal(where(await again(rig), 'a'), 'box')
  })

  it('is in another pool of the name where its own has it no more', async () => {
    const rig = await start()
    for (const task_id of ['a', 'b', 'c']) await rig.run(ask(task_id))
    const all = (next: Rig): string[] => ['a', 'b', 'c'].map((id) => where(next, id))
    assert.deepEqual(all(rig), ['rack', 'box', 'rack'])
    assert.deepEqual(all(await again(rig, { models: [{ ...coder, pools: ['rack'] }] })), ['rack', 'rack', 'rack'])
    const last = await again(rig, { pools: [pool('cloud')], models: [{ name: 'coder', aliases: ['claude-*'], pools: ['cloud'] }] })
    assert.deepEqual(all(last), ['cloud', 'cloud', 'cloud'])
  })

  it('is still there where the name is gone and the pool serves what it did, else ends honestly', async () => {
    const rig = await start()
    await rig.run(ask('a'))
    const models = [{ name: 'other', pools: ['rack'] }]
    assert.equal(where(await again(rig, { models }), 'a'), 'rack')
    assert.equal(where(await again(rig, { models: [] }), 'a'), 'rack')
    const gone = await again(rig, { models, pools: [pool('rack', { model: 'mock:new' })] })
    assert.equal(await end(gone, 'a'), 'POOL_UNAVAILABLE')
  })

  it('is still there where it asked for what the pool serves, before there were names', async () => {
    const rig = await start({ models: [] })
    await rig.run(ask('a', { model_ref: 'mock:box' }))
    assert.equal(where(await again(rig), 'a'), 'box')
  })

  it('is still there where only a server knows the name, which is not up yet', async () => {
    const told: RigOptions = { models: [], prepare: (engine, id) => (engine.props = { ...engine.props, model: `org/${id}` }) }
    const rig = await start(told)
    await rig.run(ask('a', { model_ref: 'org/box' }))
    const next = await again(rig, { ...told, prepare: (engine) => (engine.onStart = () => new Promise(() => undefined)) })
    assert.equal(where(next, 'a'), 'box')
  })
})
