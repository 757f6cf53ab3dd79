import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type RigOptions } from '../../harness/rig.ts'

describe('recovery of tasks whose own pool is gone', () => {
  const named = { model_ref: 'm', engine: undefined }
  const small = poolConfig({ id: 'small', model: 'mock:small' })
  const large = poolConfig({ id: 'large', model: 'mock:large' })

  it('goes to the pools of the name, then to its fallback; what has started goes first to its own model', async () => {
    const own = poolConfig({ id: 'own', model: 'mock:large' })
    const rig = await startRig({ pools: [own], models: [{ name: 'm', pools: ['own'] }] })
    await rig.run({ ...named, task_id: 'started' })
    await rig.run({ ...named, task_id: 'waited' })
    await rig.run({ ...named, task_id: 'pinned', placement: { mode: 'pin', pin_pool_id: 'own' } })
    const models = [{ name: 'm', pools: ['small'], fallback: ['large'] }]
    const next = await startRig({ pools: [small, large], models, storage: rig.storage, clock: rig.clock })
    await settled()
    assert.deepEqual(
      [next.task('started').pool.id, next.task('waited').pool.id],
      ['large', 'small'],
      'the text of one that has started goes on with its own model only',
    )
    assert.equal(next.engine('large/r0').call.request.seed, rig.engine().call.request.seed)
    assert.equal((await next.tasks.get(ann, 'pinned')).error?.code, 'POOL_UNAVAILABLE')
  })

  it('is another pool of its own model where its own has another now, for one that has started', async () => {
    const own = (model: string): Record<string, unknown> => poolConfig({ id: 'own', model })
    const rig = await startRig({ pools: [own('mock:large')], models: [{ name: 'm', pools: ['own'] }] })
    await rig.run({ ...named, task_id: 'started' })
    await rig.run({ ...named, task_id: 'waited' })
    const models = [{ name: 'm', pools: ['own', 'large'] }]
    const next = await startRig({ pools: [own('mock:small'), large], models, storage: rig.storage, clock: rig.clock })
    assert.deepEqual([next.task('started').pool.id, next.task('waited').pool.id], ['large', 'own'])
  })

  it('books the end of one that no pool serves to the model that it had', async () => {
    const rig = await startRig({ pools: [large], models: [{ name: 'm', pools: ['large'] }] })
    await rig.run({ ...named, task_id: 't' })
    const next = await startRig({ pools: [small], storage: rig.storage, clock: rig.clock })
    assert.equal(next.live.size, 0)
    assert.deepEqual(
      rig.storage.facts('usage').map(({ more: { model_ref, tasks } }) => [model_ref, tasks]),
      [['mock:large', 1]],
    )
  })

  it('a fallback takes what waited where it is all that the name has left', async () => {
    const rig = await startRig({ pools: [small, large], models: [{ name: 'm', pools: ['large'], fallback: ['small'] }] })
    // One runs in each, and the third waits where it was promised to start first.
    for (const task_id of ['first', 'second', 'third']) await rig.run({ ...named, task_id })
    const next = await startRig({ pools: [small], models: [{ name: 'm', pools: ['small'] }], storage: rig.storage, clock: rig.clock })
    await settled()
    assert.deepEqual([...next.live.all()].map(({ accepted, pool }) => [accepted.task_id, pool.id]).sort(), [
      ['first', 'small'],
      ['second', 'small'],
      ['third', 'small'],
    ])
    for (let left = 3; left > 0; left--) {
      next.engine('small/r0').call.finish()
      await settled()
    }
    assert.equal(next.live.size, 0)
  })
})

describe('recovery of an answer that was gone on with', () => {
  const named = { model_ref: 'm', engine: undefined }
  const props: RigOptions['props'] = { replayable: false, features: ['chat_template', 'prefill', 'continues'] }
  const [small, large] = ['small', 'large'].map((id) =>
    poolConfig({ id, model: `mock:${id}`, replicas: [{ id: 'r0', slots: 2 }] }),
  ) as Configs
  const models = [{ name: 'm', pools: ['large'], fallback: ['small'] }]

  it('is in the pool of the model that gave it, which need not be the one that it was accepted for', async () => {
    const rig = await startRig({ pools: [small, large], models, props })
    await rig.run({ ...named, task_id: 't' })
    rig.engine('large/r0').onStart = () => Promise.reject(new Error('no memory'))
    rig.engine('large/r0').die()
    await settled()
    rig.engine('small/r0').call.say('one ')
    await settled()
    const next = await startRig({ pools: [small, large], models, props, storage: rig.storage, clock: rig.clock })
    await settled()
    assert.equal(next.engine('large/r0').calls.length, 0)
    assert.equal(next.engine('small/r0').call.request.continue_from, 'one ')
  })

  it('is by no other model: it ends where there is none of its own', async () => {
    const rig = await startRig({ pools: [large], models: [{ name: 'm', pools: ['large'] }], props })
    for (const task_id of ['begun', 'silent']) {
      await rig.run({ ...named, task_id })
      if (task_id === 'begun') rig.engine('large/r0').call.say('one ')
      await settled()
    }
    assert.equal(rig.task('silent').phase, 'running')
    const next = await startRig({
      pools: [small],
      models: [{ name: 'm', pools: ['small'] }],
      props,
      storage: rig.storage,
      clock: rig.clock,
    })
    await settled()
    assert.deepEqual([(await next.tail('begun')).end?.['code'], (await next.tail('begun')).end?.['retriable']], ['WORKER_RESET', true])
    assert.deepEqual(
      next.engine('small/r0').calls.map(({ request }) => request.continue_from),
      [undefined],
    )
    assert.equal(next.task('silent').pool.id, 'small')
  })

  it('is by no model that a reload has put in its place', async () => {
    const rig = await startRig({ pools: [large], props })
    await rig.run({ task_id: 't', model_ref: 'large' })
    rig.engine('large/r0').call.say('one ')
    await settled()
    const reloading = rig.reload.reload('large', 'mock:new', 60_000)
    await settled()
    rig.engine('large/r0').call.finish()
    await reloading
    assert.deepEqual(rig.restart().lost, [{ owner: 'ann', task_id: 't' }])
    const next = await startRig({ pools: [large], props, storage: rig.storage, clock: rig.clock })
    await settled()
    assert.equal(next.pool('large').config.model, 'mock:new')
    assert.equal(next.engine('large/r0').calls.length, 0)
    assert.equal((await next.tail('t')).end?.['code'], 'WORKER_RESET')
  })
})

type Configs = [Record<string, unknown>, Record<string, unknown>]
