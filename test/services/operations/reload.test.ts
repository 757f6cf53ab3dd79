import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'

describe('a reload whose model is retired while it comes up', () => {
  it('is refused, and forgotten: the next start serves what was there', async () => {
    const rig = await startRig()
    let asked = 0
    rig.catalog.checkServable = () => {
      if (++asked === 2) throw new DomainError('model_deprecated', 'It is retired.')
    }
    const { pending } = rig.clock
    const refused = refusalOf(rig.reload.reload('pool', 'mock:new', 60_000))
    await settled()
    rig.engine().call.finish()
    assert.equal((await refused).kind, 'model_deprecated')
    assert.deepEqual([asked, rig.pool().config.model], [2, 'mock:v1'])
    assert.equal(rig.clock.pending, pending, 'nothing waits for its deadline')
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.equal(next.pool().config.model, 'mock:v1')
    await next.run({ task_id: 't' })
    assert.equal(next.task('t').phase, 'running')
  })
})

/** Reloads a pool with another model, which decodes at once. */
async function reloaded(rig: Rig, pool_id: string): Promise<void> {
  const done = rig.reload.reload(pool_id, 'mock:new', 60_000)
  await settled()
  rig.engine(`${pool_id}/r0`).call.finish()
  await done
}

describe('a reload in the place of a model that its engine does not unload', () => {
  for (const [how, unload] of [
    ['for it says so', () => Promise.reject(new Error('it is stuck'))],
    ['and says nothing', () => new Promise<boolean>(() => undefined)],
  ] as const)
    it(`fails, ${how}, and the old one is brought up anew`, async () => {
      const rig = await startRig({ props: { loads: true, reload: 'swap' } })
      const old = rig.engine()
      old.unload = unload
      const refused = refusalOf(rig.reload.reload('pool', 'mock:new', 600_000))
      await rig.clock.advance(rig.pool().config.timeouts.start_ms)
      assert.equal((await refused).kind, 'conflict')
      assert.deepEqual([old.stops, old.starts, rig.pool().ready, rig.pool().blocked], [1, 2, true, undefined])
      await rig.run({ task_id: 't' })
      assert.equal(rig.task('t').phase, 'running')
    })
})

describe('a reload whose deadline passes while the old model is unloaded', () => {
  it('is over then', async () => {
    const rig = await startRig({ props: { loads: true, reload: 'swap' } })
    rig.engine().unload = () => new Promise<boolean>(() => undefined)
    const refused = refusalOf(rig.reload.reload('pool', 'mock:new', 1000))
    await rig.clock.advance(1000)
    assert.match((await refused).message, /it was not up after 1000 ms/)
    assert.equal(rig.pool().ready, true)
  })
})

describe('a reload in the place of a model that is down', () => {
  it('ends at once what waits for that: nobody comes to work it off', async () => {
    const rig = await startRig({ props: { reload: 'swap' } })
    const old = rig.engine()
    await rig.run({ task_id: 'waits' })
    old.onStart = () => Promise.reject(new Error('no memory'))
    old.die()
    await settled()
    assert.equal(rig.task('waits').phase, 'queued')
    const tail = await rig.tail('waits')
    await reloaded(rig, 'pool')
    await rig.clock.advance(1)
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable'], rig.live.size], ['POOL_UNAVAILABLE', true, 0])
  })
})

describe('what a reload leaves', () => {
  it('is the new model alone, once the old one has nothing to do', async () => {
    const rig = await startRig({ props: { loads: true } })
    const old = rig.engine()
    await rig.run({ task_id: 't' })
    await reloaded(rig, 'pool')
    assert.deepEqual([rig.pools.serving().length, old.unloads], [2, 0])
    old.call.finish()
    await rig.clock.advance(1000)
    assert.deepEqual([rig.pools.serving().length, old.unloads, old.stops], [1, 1, 1])
  })

  it('is a model in memory that another pool serves', async () => {
    const rig = await startRig({ props: { loads: true }, pools: [poolConfig(), poolConfig({ id: 'other' })] })
    const old = rig.engine('pool/r0')
    await reloaded(rig, 'pool')
    await rig.clock.advance(1000)
    assert.deepEqual([old.unloads, old.stops], [0, 1])
  })
})

describe('a drain over a restart', () => {
  it('of a pool that the configuration has no more is no trouble', async () => {
    const rig = await startRig({ pools: [poolConfig(), poolConfig({ id: 'other' })] })
    await rig.drain.order('other', 60_000)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    await next.run({ task_id: 't' })
    assert.equal(next.task('t').phase, 'running')
  })
})
