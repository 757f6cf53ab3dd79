import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig } from '../../harness/rig.ts'

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
