import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

const pools = ['one', 'two'].map((id) => poolConfig({ id, model: `mock:${id}`, queue: { capacity: 2 } }))
const models = [{ name: 'm', pools: ['one'], fallback: ['two'] }]
const named = { model_ref: 'm', engine: undefined }
const start = (options: RigOptions = {}): Promise<Rig> => startRig({ pools, models, ...options })
const where = (rig: Rig, ...ids: string[]): string[] => ids.map((id) => `${rig.task(id).pool.id} ${rig.task(id).phase}`)
const broken = (): Promise<void> => Promise.reject(new Error('no memory'))

describe('tasks that wait in a pool whose engines are all down', () => {
  it('go where a newcomer would go, behind what failed there, and those stay whose placement allows no other', async () => {
    const rig = await start()
    for (const task_id of ['runs', 'waits']) await rig.run({ ...named, task_id })
    await rig.run({ ...named, task_id: 'pinned', placement: { mode: 'pin', pin_pool_id: 'one' } })
    rig.engine('one/r0').onStart = broken
    rig.engine('one/r0').die()
    await rig.clock.advance(100)
    assert.deepEqual(where(rig, 'runs', 'waits', 'pinned'), ['two running', 'two queued', 'one queued'])
    assert.deepEqual(
      rig.lines.filter(({ fields }) => fields['pool_id'] === 'one' && fields['moved'] === 1).map(({ message }) => message),
      ['Pool one is down; 1 of its waiting tasks went to other pools.'],
    )
    rig.engine('one/r0').onStart = () => Promise.resolve()
    await rig.clock.advance(1000)
    assert.deepEqual(where(rig, 'pinned'), ['one running'])
  })

  it('go there as soon as there is room when the engines are tried again', async () => {
    const rig = await start({ models: [...models, { name: 'two', pools: ['two'] }] })
    for (let n = 0; n < 3; n++) await rig.run({ task_id: `other${n}`, model_ref: 'two', engine: undefined })
    for (const task_id of ['runs', 'waits']) await rig.run({ ...named, task_id })
    rig.engine('one/r0').onStart = broken
    rig.engine('one/r0').die()
    await rig.clock.advance(100)
    assert.deepEqual(where(rig, 'runs', 'waits'), ['one queued', 'one queued'])
    for (let n = 0; n < 3; n++) {
      rig.engine('two/r0').call.finish()
      await settled()
    }
    await rig.clock.advance(1000)
    assert.deepEqual(where(rig, 'runs', 'waits'), ['two running', 'two queued'])
  })

  it('do so, too, where the engines do not come up after a restart', async () => {
    const rig = await start()
    for (const task_id of ['runs', 'waits']) await rig.run({ ...named, task_id })
    const next = await start({
      storage: rig.storage,
      clock: rig.clock,
      prepare: (engine, pool_id) => {
        if (pool_id === 'one') engine.onStart = broken
      },
    })
    await next.clock.advance(100)
    assert.deepEqual(
      where(next, 'runs', 'waits').map((at) => at.split(' ')[0]),
      ['two', 'two'],
    )
  })

  for (const [how, error] of [
    ['does not load', new Error('no memory')],
    ['is refused', new DomainError('model_deprecated', 'it is retired')],
  ] as const)
    it(`do so, too, where the model of a pool in a group ${how}; where it merely sleeps they wait`, async () => {
      const groups = [{ id: 'gpu', pools: ['one', 'three'] }]
      const rig = await start({
        ...{ groups, pools: [...pools, poolConfig({ id: 'three', model: 'mock:three' })] },
        models: [...models, { name: 'three', pools: ['three'], fallback: ['two'] }],
      })
      await rig.run({ task_id: 'holds', model_ref: 'three', engine: undefined })
      await rig.run({ ...named, task_id: 'waits' })
      await rig.clock.advance(100)
      assert.deepEqual(where(rig, 'holds', 'waits'), ['three running', 'one queued'])
      rig.engine('one/r0').onStart = () => Promise.reject(error)
      rig.engine('three/r0').call.finish()
      await rig.clock.advance(1100)
      assert.deepEqual(where(rig, 'waits'), ['two running'])
    })

  it('wait where another replica comes up, and where the daemon stops', async () => {
    const rig = await start({ pools: [poolConfig({ ...pools[0], replicas: [{ id: 'r0' }, { id: 'r1' }] }), ...pools.slice(1)] })
    for (const task_id of ['a', 'b', 'waits']) await rig.run({ ...named, task_id })
    rig.engine('one/r1').die()
    await rig.clock.advance(100)
    assert.deepEqual(where(rig, 'waits'), ['one queued'])
    const stopping = rig.quiesce(0)
    await rig.clock.advance(1)
    await stopping
    await rig.stop()
    assert.deepEqual(where(rig, 'waits'), ['one queued'])
  })
})
