import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { catalogFollower } from '../../../src/services/operations/catalog-follower.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig } from '../../harness/rig.ts'
import { groupRig, ofModel } from './groups.kit.ts'

describe('the place of a pool whose engines are in trouble', () => {
  for (const [how, end] of [
    ['refuses its model', (rig: Rig) => rig.engine('a/r0').die(new DomainError('model_deprecated', 'retired'))],
    ['is stopped by the catalog', (rig: Rig) => void catalogFollower(rig.pools, rig.drain).unload('mock:a', 0, 'retired')],
  ] as const)
    it(`goes to another only when the engine is gone that ${how}`, async () => {
      const rig = await groupRig()
      await rig.run({ task_id: 'a1', ...ofModel('a') })
      await rig.clock.advance(5000)
      await rig.run({ task_id: 'b1', ...ofModel('b') })
      const gone = Promise.withResolvers<undefined>()
      rig.engine('a/r0').onStop = () => gone.promise.then(() => undefined)
      end(rig)
      await rig.clock.advance(1)
      assert.deepEqual([rig.states(), rig.engine('b/r0').starts], [['unloading', 'asleep', 'asleep'], 0])
      gone.resolve(undefined)
      await settled()
      assert.deepEqual([rig.states(), rig.engine('b/r0').starts], [['asleep', 'loading', 'asleep'], 1])
    })

  for (const [how, unload] of [
    ['says that it could not unload its model', () => Promise.reject(new Error('it is stuck'))],
    ['does not say that it has unloaded its model', () => new Promise<boolean>(() => undefined)],
  ] as const)
    it(`goes to another, and its engine is started anew, where that ${how}`, async () => {
      const rig = await groupRig()
      await rig.run({ task_id: 'a1', ...ofModel('a') })
      await rig.clock.advance(5000)
      const engine = rig.engine('a/r0')
      engine.unload = unload
      await rig.run({ task_id: 'b1', ...ofModel('b') })
      engine.call.finish()
      await rig.clock.advance(rig.pool('a').config.timeouts.start_ms)
      await rig.clock.advance(5000)
      assert.deepEqual([rig.states(), engine.stops], [['asleep', 'loaded', 'asleep'], 1])
      assert.ok(rig.lines.some(({ fields }) => fields['event'] === 'group' && fields['pool_id'] === 'a'))
      await rig.run({ task_id: 'a2', ...ofModel('a') })
      rig.engine('b/r0').call.finish()
      await rig.clock.advance(5001)
      assert.deepEqual([rig.task('a2').phase, engine.starts], ['running', 2])
    })

  it('is left to what still runs where the breaker opens', async () => {
    const replicas = [{ id: 'r0', slots: 4 }]
    const pools = ['a', 'b', 'c'].map((id) => poolConfig({ id, model: `mock:${id}`, replicas }))
    const rig = await groupRig({}, { pools, props: { replayable: false, slots: 4 } })
    for (const task_id of ['a1', 'a2', 'a3', 'a4']) await rig.run({ task_id, ...ofModel('a') })
    await rig.clock.advance(5000)
    const engine = rig.engine('a/r0')
    const tail = await rig.tail('a4')
    for (const call of engine.calls) call.say('x')
    for (const call of engine.calls.slice(0, 3)) call.fail()
    await settled()
    assert.deepEqual([rig.pool('a').replicas[0]?.state, rig.states()], ['down', ['loaded', 'asleep', 'asleep']])
    engine.calls[3]?.finish()
    await settled()
    assert.equal(tail.end?.['finish_reason'], 'stop')
    assert.deepEqual(rig.states(), ['asleep', 'asleep', 'asleep'], 'nothing runs any more on what is not trusted')
  })
})

type Rig = Awaited<ReturnType<typeof groupRig>>
