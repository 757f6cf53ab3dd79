import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { catalogFollower } from '../../../src/services/operations/catalog-follower.ts'
import { groupRig, ofModel } from './groups.kit.ts'

/** Reloads pool a, which has 30 s, ends what runs on the old model and lets the new one decode. */
async function reloaded(rig: Awaited<ReturnType<typeof groupRig>>): Promise<string> {
  const old = rig.engine('a/r0')
  const flipped = rig.reload.reload('a', 'mock:new', 30_000).then(({ config }) => config.model, String)
  await rig.clock.advance(10_000)
  for (const call of old.running) call.finish()
  await rig.clock.advance(10_000)
  for (const call of rig.engine('a/r0').running) call.finish()
  await rig.clock.advance(10_000)
  return flipped
}

describe('a reload in a group', () => {
  it('puts another model in the place of one that was refused, and is loaded no more', async () => {
    const rig = await groupRig()
    rig.engine('a/r0').onStart = () => Promise.reject(new DomainError('model_deprecated', 'it is retired'))
    await rig.run(ofModel('a'))
    assert.equal(rig.pool('a').refusal, 'it is retired')
    assert.equal(await reloaded(rig), 'mock:new')
  })

  it('puts another model in the place of one that may not be served', async () => {
    const rig = await groupRig()
    const retired = catalogFollower(rig.pools, rig.drain).unload('mock:a', 0, 'it is retired')
    await rig.clock.advance(1)
    await retired
    assert.equal(await reloaded(rig), 'mock:new')
  })

  it('does not wait for the next load of a model whose loads fail', async () => {
    const rig = await groupRig()
    rig.engine('a/r0').onStart = () => Promise.reject(new Error('no memory'))
    await rig.run(ofModel('a'))
    for (let loads = 0; loads < 9; loads++) await rig.clock.advance((rig.pool('a').seat?.retry_at ?? 0) - rig.clock.now())
    assert.ok((rig.pool('a').seat?.retry_at ?? 0) > rig.clock.now() + 30_000)
    assert.equal(await reloaded(rig), 'mock:new')
  })

  it('of a pool that is being loaded waits for that, and not for all of its work', async () => {
    const rig = await groupRig()
    for (const task_id of ['a1', 'a2']) await rig.run({ task_id, ...ofModel('a') })
    assert.deepEqual(rig.states(), ['loading', 'asleep', 'asleep'])
    const waits = await rig.tail('a2')
    assert.equal(await reloaded(rig), 'mock:new')
    assert.deepEqual([rig.states(), waits.end?.['code'], rig.live.size], [['loaded', 'asleep', 'asleep'], 'POOL_UNAVAILABLE', 0])
  })
})
