import assert from 'node:assert/strict'
import type { PoolForesight } from '../../../src/services/operations/foresight.ts'
import { pause } from '../../../src/ports/clock.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { bob, boss, poolConfig, refusalOf, startRig, teach, type RigOptions } from '../../harness/rig.ts'

const ofModel = (id: string): { readonly model_ref: string } => ({ model_ref: `mock:${id}` })
const nothing: PoolForesight = { pools: [], running: 0, waiting: 0, movable: 0, moves_to: [], late: 0 }

/** Pools `a` and `b` of a group with room for one, each of which takes 5 s to load, and `free` outside of it. */
async function groupRig(fields: Record<string, unknown> = {}, options: RigOptions = {}) {
  const clock = new FakeClock()
  const never = new AbortController().signal
  const rig = await startRig({
    pools: [...['a', 'b'].map((id) => poolConfig({ id, model: `mock:${id}` })), poolConfig({ id: 'free', model: 'mock:free' })],
    clock,
    groups: [{ id: 'gpu', pools: ['a', 'b'], max_hold_ms: 60_000, idle_unload_ms: 600_000, ...fields }],
    prepare: (engine, id) => (engine.onStart = id === 'free' ? engine.onStart : () => pause(clock, 5000, never)),
    ...options,
  })
  return { ...rig, states: () => ['a', 'b'].map((id) => rig.pool(id).seat?.state).join(' ') }
}

/** How many tasks of a pool will probably be late, as its queue says. */
const lateIn = (rig: Awaited<ReturnType<typeof groupRig>>, pool_id: string): number =>
  rig.tasks.queue(boss, pool_id, { limit: 200 }).entries.filter(({ on_time_probability = 1 }) => on_time_probability < 0.5).length

describe('a load that an operator asks for', () => {
  it('happens at once where there is room, and nobody is hit', async () => {
    const rig = await groupRig()
    assert.deepEqual(rig.loads.foreseeLoad('a'), nothing)
    await rig.clock.advance(1000)
    assert.equal(rig.states(), 'asleep asleep')
    rig.loads.load('a')
    await settled()
    assert.equal(rig.states(), 'loading asleep')
    await rig.clock.advance(5000)
    assert.equal(rig.states(), 'loaded asleep')
    assert.deepEqual(rig.loads.foreseeLoad('a'), nothing)
    rig.loads.load('a')
    await settled()
    assert.equal(rig.engine('a/r0').starts, 1)
  })

  it('makes another pool leave when what runs there has ended, though work waits there, and keeps its place for the hold', async () => {
    const rig = await groupRig()
    teach(rig.pool('a'))
    for (const task_id of ['a1', 'a2', 'a3']) await rig.run({ task_id, ...ofModel('a'), deadline_ms: task_id === 'a3' ? 600_000 : 30_000 })
    await rig.clock.advance(5000)
    const before = lateIn(rig, 'a')
    const foreseen = rig.loads.foreseeLoad('b')
    assert.deepEqual({ ...foreseen, late: 0 }, { ...nothing, pools: ['a'], running: 1, waiting: 2 })
    await rig.clock.advance(1)
    assert.deepEqual([rig.states(), lateIn(rig, 'a')], ['loaded asleep', before], 'a look changes nothing')
    rig.loads.load('b')
    await settled()
    assert.equal(rig.states(), 'leaving asleep')
    assert.equal(lateIn(rig, 'a'), foreseen.late)
    assert.equal(foreseen.late, 1, 'a2 waits until b has had its hold')
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(1)
    assert.equal(rig.states(), 'asleep loading')
    await rig.clock.advance(5000)
    assert.equal(rig.states(), 'asleep loaded')
    // Work waits in `a`, and `b` has none: without the hold it would leave at once.
    await rig.clock.advance(59_000)
    assert.equal(rig.states(), 'asleep loaded')
    await rig.clock.advance(2000)
    assert.equal(rig.states(), 'loading asleep')
    await rig.clock.advance(5000)
    assert.equal(rig.task('a3').phase, 'running')
  })

  it('is tried once where the model does not come up', async () => {
    const rig = await groupRig()
    rig.engine('a/r0').onStart = () => Promise.reject(new Error('no room'))
    rig.loads.load('a')
    await rig.clock.advance(600_000)
    assert.deepEqual([rig.states(), rig.engine('a/r0').starts], ['asleep asleep', 1])
  })

  it('is refused where nobody loads the model, or it may not be served', async () => {
    const rig = await groupRig()
    assert.match((await refusalOf(Promise.resolve().then(() => rig.loads.load('free')))).message, /in no group/)
    assert.equal((await refusalOf(Promise.resolve().then(() => rig.loads.foreseeLoad('free')))).kind, 'conflict')
    assert.equal((await refusalOf(Promise.resolve().then(() => rig.loads.load('none')))).kind, 'not_found')
    rig.pool('a').blocked = 'retired'
    assert.match((await refusalOf(Promise.resolve().then(() => rig.loads.load('a')))).message, /cannot be loaded: retired/)
  })
})

describe('an unload that an operator asks for', () => {
  it('lets what runs end, and leaves the pool asleep until a task comes or it is loaded, also one that is preloaded', async () => {
    const rig = await groupRig({ preload: ['a'] })
    await rig.clock.advance(5000)
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    assert.deepEqual(rig.loads.foreseeUnload('a'), { ...nothing, pools: ['a'], running: 1 })
    assert.equal(rig.states(), 'loaded asleep')
    rig.loads.unload('a')
    await settled()
    assert.equal(rig.states(), 'leaving asleep')
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(10_000)
    assert.equal(rig.states(), 'asleep asleep')
    assert.deepEqual(rig.loads.foreseeUnload('a'), nothing)
    rig.loads.unload('a')
    await rig.run({ task_id: 'a2', ...ofModel('a') })
    await rig.clock.advance(5000)
    assert.equal(rig.task('a2').phase, 'running')
    rig.engine('a/r0').call.finish()
    rig.loads.unload('a')
    await rig.clock.advance(10_000)
    rig.loads.load('a')
    await rig.clock.advance(5000)
    assert.equal(rig.states(), 'loaded asleep')
  })

  it('brings the pool up again for what waits and cannot move', async () => {
    const rig = await groupRig()
    teach(rig.pool('a'))
    for (const task_id of ['a1', 'a2']) await rig.run({ task_id, ...ofModel('a'), deadline_ms: 12_000 })
    await rig.clock.advance(5000)
    const foreseen = rig.loads.foreseeUnload('a')
    assert.deepEqual({ ...foreseen, late: 0 }, { ...nothing, pools: ['a'], running: 1, waiting: 1 })
    rig.loads.unload('a')
    await settled()
    assert.equal(lateIn(rig, 'a'), foreseen.late)
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(1)
    assert.equal(rig.states(), 'loading asleep')
    await rig.clock.advance(5000)
    assert.deepEqual([rig.task('a2').phase, rig.engine('a/r0').starts], ['running', 2])
  })

  it('is over when a task has it loaded again', async () => {
    const rig = await groupRig()
    rig.loads.load('a')
    await rig.clock.advance(5000)
    rig.loads.unload('a')
    await rig.clock.advance(1)
    assert.equal(rig.states(), 'asleep asleep')
    await rig.run({ task_id: 't', ...ofModel('a') })
    await rig.clock.advance(6000)
    assert.deepEqual([rig.states(), rig.task('t').phase], ['loaded asleep', 'running'])
    rig.engine('a/r0').call.finish()
    await rig.clock.advance(6000)
    assert.equal(rig.states(), 'loaded asleep')
  })

  it('is refused for what is pinned and what nobody loads', async () => {
    const rig = await groupRig({ loaded: 2, pin: ['a'] })
    assert.match((await refusalOf(Promise.resolve().then(() => rig.loads.unload('a')))).message, /take it out of `pin`/)
    assert.equal((await refusalOf(Promise.resolve().then(() => rig.loads.foreseeUnload('free')))).kind, 'conflict')
  })
})

describe('a pool outside of groups whose engine loads models', () => {
  it('works off what it has, is unloaded, refuses newcomers, and is loaded again', async () => {
    const rig = await startRig({ props: { loads: true } })
    const engine = rig.engine()
    for (const task_id of ['t1', 't2']) await rig.run({ task_id })
    assert.deepEqual(rig.loads.foreseeUnload('pool'), { ...nothing, pools: ['pool'], running: 1, waiting: 1 })
    rig.loads.unload('pool')
    await settled()
    assert.equal((await refusalOf(rig.admit({ task_id: 't3' }))).code, 'POOL_UNREADY')
    for (const task_id of ['t1', 't2']) {
      assert.equal(rig.task(task_id).phase, 'running')
      engine.call.finish()
      await rig.clock.advance(100)
    }
    await rig.clock.advance(200)
    assert.deepEqual([rig.pool().replicas[0]?.state, engine.unloads], ['stopped', 1])
    assert.deepEqual(rig.loads.foreseeUnload('pool'), nothing)
    rig.loads.load('pool')
    await rig.clock.advance(100)
    await rig.run({ task_id: 't4' })
    assert.equal(rig.task('t4').phase, 'running')
    rig.loads.load('pool')
    engine.call.finish()
    await settled()
    rig.loads.unload('pool')
    await rig.clock.advance(300)
    assert.deepEqual([rig.pool().replicas[0]?.state, engine.unloads], ['stopped', 2], 'as often as it is asked for')
  })

  it('serves on where it is loaded again before it has worked off what it has', async () => {
    const rig = await startRig({ props: { loads: true } })
    await rig.run({ task_id: 't1' })
    rig.loads.unload('pool')
    await rig.clock.advance(100)
    rig.loads.load('pool')
    await rig.clock.advance(100)
    await rig.run({ task_id: 't2' })
    rig.engine().call.finish()
    await rig.clock.advance(1000)
    assert.deepEqual([rig.task('t2').phase, rig.engine().unloads, rig.engine().stops], ['running', 0, 0])
  })
})

/** What a drain does to a pool is what its dry run says, task by task. */
describe('what a drain would do', () => {
  it('is what it then does: what moves, where to, what stays and what is late', async () => {
    const slots = (n: number) => ({ replicas: [{ id: 'r0', slots: n }] })
    const rig = await startRig({
      pools: [
        poolConfig({ id: 'a' }),
        poolConfig({ id: 'b', ...slots(2), queue: { capacity: 1 } }),
        poolConfig({ id: 'c', queue: { capacity: 2 } }),
      ],
    })
    for (const id of ['a', 'b', 'c']) teach(rig.pool(id))
    const here = { placement: { mode: 'prefer' as const, prefer_pools: ['a'], allow_fallback: true } }
    const pinned = { placement: { mode: 'pin' as const, pin_pool_id: 'a' } }
    for (let n = 0; n < 9; n++) await rig.run({ task_id: `t${n}`, ...(n % 4 === 2 ? pinned : here) }, n % 2 === 0 ? bob : boss)
    const foreseen = rig.drain.foresee('a', 60_000)
    assert.deepEqual([rig.pool('a').scheduler.depth(), rig.pool('a').draining], [8, false])
    rig.drain.drain('a', 60_000)
    await settled()
    const moved = ['b', 'c'].map((id) => ({ pool_id: id, tasks: rig.pool(id).scheduler.depth() + rig.pool(id).running.size }))
    assert.deepEqual(
      foreseen.moves_to.toSorted((x, y) => x.pool_id.localeCompare(y.pool_id)),
      moved,
    )
    assert.equal(foreseen.movable, 6)
    assert.deepEqual([foreseen.running, foreseen.waiting, foreseen.pools], [1, 8, ['a']])
    assert.equal(rig.pool('a').scheduler.depth(), foreseen.waiting - foreseen.movable)
    assert.equal(foreseen.late, 0)
  })

  it('is late where what stays does not end before the deadline', async () => {
    const rig = await startRig({ pools: [poolConfig({ id: 'a' })] })
    teach(rig.pool('a'))
    for (let n = 0; n < 6; n++) await rig.run({ task_id: `t${n}` })
    // Each takes 93 ms, one after the other.
    const late = rig.drain.foresee('a', 300).late
    rig.drain.drain('a', 300)
    let ended = 0
    for (let at = 0; at < 300; at += 93) {
      await rig.clock.advance(93)
      if (at + 93 >= 300) break
      rig.engine('a/r0').call.finish()
      ended++
      await settled()
    }
    await rig.clock.advance(200)
    await settled()
    assert.equal(ended, 3)
    assert.equal(late, 6 - ended)
  })
})
