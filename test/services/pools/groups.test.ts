import assert from 'node:assert/strict'
import { pause } from '../../../src/ports/clock.ts'
import { poolCapability, poolHealth, poolSummary } from '../../../src/services/pools/pool-views.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { refusalOf } from '../../harness/rig.ts'
import { groupRig, ofModel } from './groups.kit.ts'

describe('a group', () => {
  it('sleeps until a task comes, loads its pool for it, and says so', async () => {
    const rig = await groupRig()
    assert.equal(rig.isReady(), true)
    assert.deepEqual(rig.states(), ['asleep', 'asleep', 'asleep'])
    assert.deepEqual(
      [...rig.engines.values()].map(({ starts }) => starts),
      [0, 0, 0],
    )
    const summary = poolSummary(rig.pool('a'))
    assert.deepEqual([summary.live, summary.ready, summary.load_state], [false, true, 'asleep'])
    const reply = await rig.run({ task_id: 't', ...ofModel('a') })
    assert.equal(reply.predicted_start_ms, 10_000, 'what is believed of a model that was never loaded')
    assert.deepEqual(rig.states(), ['loading', 'asleep', 'asleep'])
    const tail = await rig.tail('t')
    await rig.clock.advance(1000)
    tail.pull()
    const phases = () => tail.frames.flatMap(({ event, data }) => (event === 'metrics' ? [data?.['phase']] : []))
    assert.deepEqual(phases(), ['loading'])
    await rig.clock.advance(4000)
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
    assert.equal(poolHealth(rig.pool('a')).load_state, 'loaded')
    assert.equal(poolCapability(rig.pool('b')).load_state, 'asleep')
    rig.engine('a/r0').call.finish()
    await settled()
    assert.equal(tail.frames.at(-1)?.event, 'end')
  })

  it('counts its loads, tells how long each took, and counts what could not be loaded', async () => {
    let fails = false
    const clock = new FakeClock()
    const rig = await groupRig(
      {},
      {
        clock,
        prepare: (engine) =>
          (engine.onStart = () => (fails ? Promise.reject(new Error('no room')) : pause(clock, 5000, new AbortController().signal))),
      },
    )
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    rig.engine('a/r0').call.finish()
    fails = true
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    await rig.clock.advance(60_000)
    const swaps = rig.metric('swaps_total').map(({ labels }) => [labels['pool_id'], labels['result']])
    assert.deepEqual(swaps[0], ['a', 'loaded'])
    assert.deepEqual(swaps[1], ['b', 'failed'])
    assert.deepEqual(
      rig.metric('swap_load_ms').map(({ labels, value }) => [labels['pool_id'], value]),
      [['a', 5000]],
    )
  })

  it('lets running tasks end, then swaps; each task ends', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
    const first = rig.engine('a/r0')
    first.call.finish()
    await rig.clock.advance(1)
    assert.deepEqual([rig.states(), first.stops], [['asleep', 'loading', 'asleep'], 1])
    await rig.clock.advance(5000)
    rig.engine('b/r0').call.finish()
    await settled()
    assert.equal(rig.live.of('ann', 'b1'), undefined)
  })

  it('gives the place to others after the hold, though there is work', async () => {
    const rig = await groupRig({ max_hold_ms: 10_000 })
    for (const task_id of ['a1', 'a2']) await rig.run({ task_id, ...ofModel('a') })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', priority: 'batch', ...ofModel('b') })
    await rig.clock.advance(9000)
    rig.engine('a/r0').call.finish()
    await settled()
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
    assert.equal(rig.task('a2').phase, 'running')
    await rig.run({ task_id: 'a3', priority: 'batch', ...ofModel('a') })
    await rig.clock.advance(1000)
    assert.deepEqual(rig.states(), ['leaving', 'asleep', 'asleep'])
    rig.engine('a/r0').call.finish()
    await settled()
    assert.equal(rig.task('a3').phase, 'queued')
    assert.deepEqual(rig.states(), ['asleep', 'loading', 'asleep'])
  })

  it('goes on with the others where a load fails, says why, and tries again later', async () => {
    const rig = await groupRig()
    const broken = rig.engine('a/r0')
    broken.onStart = () => Promise.reject(new Error('no memory'))
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    assert.deepEqual(rig.states(), ['asleep', 'loading', 'asleep'])
    assert.equal(poolHealth(rig.pool('a')).last_error, 'no memory')
    assert.equal((await rig.run({ task_id: 'a2', ...ofModel('a') })).pool_id, 'a', 'its tasks wait')
    await rig.clock.advance(5000)
    rig.engine('b/r0').call.finish()
    broken.onStart = () => Promise.resolve()
    await rig.clock.advance(300)
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
    assert.equal(rig.task('a1').phase, 'running')
  })

  it('gives the place of an engine that died to the others, and runs its task again', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    rig.engine('a/r0').die()
    await settled()
    assert.deepEqual([rig.task('a1').phase, rig.states()], ['queued', ['asleep', 'loading', 'asleep']])
    await rig.clock.advance(5000)
    rig.engine('b/r0').call.finish()
    await rig.clock.advance(5001)
    assert.equal(rig.task('a1').phase, 'running')
  })

  it('remembers over a restart how long models take', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    await rig.clock.advance(700)
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(5001)
    const { storage, clock } = rig
    rig.engine('b/r0').call.finish()
    await settled()
    await rig.stop()
    const again = await groupRig({}, { storage, clock })
    assert.equal((await again.run(ofModel('a'))).predicted_start_ms, 5000)
    const behind = await again.run(ofModel('b'))
    assert.equal(behind.predicted_start_ms, 10_700, 'the load of the one and of the other, and the task between them')
  })

  it('takes up after a restart what waits for a pool that sleeps', async () => {
    const rig = await groupRig()
    for (const id of ['a', 'b']) await rig.run({ task_id: `${id}1`, ...ofModel(id) })
    const { storage, clock } = rig
    const quiet = rig.quiesce(0)
    await clock.advance(1)
    await quiet
    await rig.stop()
    const again = await groupRig({}, { storage, clock })
    await clock.advance(5000)
    again.engine('a/r0').call.finish()
    await clock.advance(5001)
    again.engine('b/r0').call.finish()
    await settled()
    assert.equal(again.live.of('ann', 'b1'), undefined)
  })

  it('unloads for want of work, but not what is pinned', async () => {
    const rig = await groupRig({ loaded: 2, pin: ['a'] })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    await rig.clock.advance(5000)
    rig.engine('b/r0').call.finish()
    await rig.clock.advance(599_999)
    assert.deepEqual(rig.states(), ['loaded', 'loaded', 'asleep'])
    await rig.clock.advance(2)
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
  })

  it('loads a draining pool that sleeps for what waits in it', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    rig.drain.drain('b', 60_000)
    const refusal = await refusalOf(rig.run(ofModel('b')))
    assert.deepEqual([refusal.kind, refusal.message], ['pool_unready', 'Pool b drains and takes no new tasks.'])
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(5001)
    assert.equal(rig.task('b1').phase, 'running')
  })

  it('reloads a pool in its own place, when its turn comes', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    const flipped = rig.reload.reload('b', 'mock:new', 60_000)
    await settled()
    assert.deepEqual(rig.states(), ['loaded', 'asleep', 'asleep'])
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(5001)
    rig.engine('b/r0').call.finish()
    const pool = await flipped
    assert.deepEqual([pool.config.model, pool.seat?.state, rig.states()], ['mock:new', 'loaded', ['asleep', 'loaded', 'asleep']])
    await rig.run({ task_id: 'b1', ...ofModel('new') })
    assert.equal(rig.task('b1').phase, 'running')
  })

  it('has the old model again where a reload in its place fails', async () => {
    const rig = await groupRig()
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await rig.clock.advance(5000)
    const old = rig.engine('a/r0')
    const failed = refusalOf(rig.reload.reload('a', 'mock:new', 8000))
    await rig.run({ task_id: 'a2', ...ofModel('a') })
    assert.deepEqual([rig.states(), rig.task('a2').phase], [['leaving', 'asleep', 'asleep'], 'queued'])
    old.call.finish()
    await rig.clock.advance(8000)
    assert.equal((await failed).kind, 'conflict')
    await rig.clock.advance(5001)
    assert.deepEqual([rig.pool('a').config.model, rig.task('a2').phase], ['mock:a', 'running'])
  })
})
