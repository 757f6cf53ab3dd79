import assert from 'node:assert/strict'
import type { Waits } from '../../../src/domain/queue/waits.ts'
import { pause } from '../../../src/ports/clock.ts'
import { progressOf } from '../../../src/services/tasks/progress.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { ann, bob, boss, poolConfig, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

/** Why a task of Ann's waits, which every view says in the same words; nothing of it is told to others. */
async function told(rig: Rig, task_id: string): Promise<Waits | undefined> {
  const { waits, pool_id } = await rig.tasks.get(ann, task_id)
  const { tasks } = await rig.tasks.list(ann, {})
  assert.deepEqual(tasks.find((one) => one.task_id === task_id)?.waits, waits)
  const mine = rig.tasks.queue(ann, pool_id, {}).entries.find((one) => one.task_id === task_id)
  assert.deepEqual(mine?.waits, waits)
  assert.deepEqual(rig.tasks.queue(boss, pool_id, {}).entries.find((one) => one.task_id === task_id)?.waits, waits)
  assert.deepEqual(progressOf(rig.task(task_id), rig.clock.now()).waits, waits)
  assert.ok(rig.tasks.queue(bob, pool_id, {}).entries.every((entry) => entry.waits === undefined))
  return waits
}

const code = async (rig: Rig, task_id: string): Promise<string | undefined> => (await told(rig, task_id))?.code
const codes = (rig: Rig, ...ids: string[]): Promise<(string | undefined)[]> => Promise.all(ids.map((id) => code(rig, id)))

const runs = (rig: Rig, task_id: string): boolean => rig.task(task_id).phase === 'running'
const runAll = async (rig: Rig, ...ids: string[]): Promise<void> => {
  for (const task_id of ids) await rig.run({ task_id })
}

const replica = (id: string, slots = 1, devices: number[] = []): Record<string, unknown> => ({ id, slots, devices })
const twoReplicas = [poolConfig({ replicas: [replica('r0', 1, [0]), replica('r1', 1, [1])] })]
const continues = { replayable: false, features: ['chat_template', 'continues'] } satisfies RigOptions['props']

describe('what is told of a task that waits, and what then happens', () => {
  it('next, slots_busy: they start one after the other', async () => {
    const rig = await startRig()
    await runAll(rig, 'a', 'b', 'c')
    assert.equal(await told(rig, 'a'), undefined)
    assert.deepEqual(await told(rig, 'b'), { code: 'next', text: 'starts with the next free slot', ahead: 0, slots: 1 })
    assert.deepEqual(await told(rig, 'c'), { code: 'slots_busy', text: 'all slots are busy', ahead: 1, slots: 1 })
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([runs(rig, 'b'), await code(rig, 'c')], [true, 'next'])
  })

  it('batch_yields: an interactive one that came later starts first, until it is the turn of batch', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { batch_every: 2 } })] })
    await rig.run({ task_id: 'a' })
    await rig.run({ task_id: 'batch', priority: 'batch' })
    await runAll(rig, 'b', 'c')
    assert.deepEqual(await codes(rig, 'batch', 'b', 'c'), ['batch_yields', 'next', 'slots_busy'])
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([runs(rig, 'b'), ...(await codes(rig, 'batch', 'c'))], [true, 'next', 'slots_busy'])
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([runs(rig, 'batch'), await code(rig, 'c')], [true, 'next'])
  })

  it('replica_pinned: a slot elsewhere is of no use to it', async () => {
    const rig = await startRig({ pools: twoReplicas })
    await runAll(rig, 'a', 'b')
    await rig.run({ task_id: 'pinned', placement: { mode: 'auto', require_device_mask: [1] } })
    const pinned = { code: 'replica_pinned', text: 'pinned to a replica that is busy or down', ahead: 0, slots: 1, replica_id: 'r1' }
    assert.deepEqual(await told(rig, 'pinned'), pinned)
    rig.engine('pool/r0').call.finish()
    await settled()
    assert.deepEqual(await told(rig, 'pinned'), pinned)
    rig.engine('pool/r1').call.finish()
    await settled()
    assert.ok(runs(rig, 'pinned'))
  })

  it('pool_down: it starts when the replica is up again, which is when it was said', async () => {
    const rig = await startRig()
    await runAll(rig, 'a', 'b')
    rig.engine().die()
    await settled()
    assert.deepEqual(await told(rig, 'b'), { code: 'pool_down', text: 'no replica is up', until_ms: 250, ahead: 1, slots: 1 })
    await rig.clock.advance(249)
    assert.deepEqual([(await told(rig, 'a'))?.until_ms, runs(rig, 'a')], [1, false])
    await rig.clock.advance(1)
    assert.deepEqual([runs(rig, 'a'), await code(rig, 'b')], [true, 'next'])
  })

  it('model_loading where an engine comes up outside of a group', async () => {
    const clock = new FakeClock()
    const rig = await startRig({ clock, prepare: (engine) => (engine.onStart = () => pause(clock, 5000)) })
    await clock.advance(5000)
    await runAll(rig, 'a', 'b')
    rig.engine().die()
    await clock.advance(250)
    assert.deepEqual(await codes(rig, 'a', 'b'), ['model_loading', 'model_loading'])
    await clock.advance(5000)
    assert.ok(runs(rig, 'a'))
  })

  it('breaker_open: nobody while it is open, then one at a time', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [replica('r0', 4)] })] })
    await runAll(rig, 'x', 'y', 'z', 'w')
    for (const call of [...rig.engine().calls]) call.fail()
    await settled()
    for (const call of rig.engine().running) call.fail()
    await settled()
    const waiting = [...rig.pool().scheduler.tasks()].map(({ accepted }) => accepted.task_id)
    assert.equal(rig.pool().replicas[0]?.state, 'down')
    assert.deepEqual([...new Set(await codes(rig, ...waiting))], ['breaker_open'])
    const { until_ms = 0 } = (await told(rig, waiting[0] ?? '')) ?? {}
    await rig.clock.advance(until_ms)
    assert.deepEqual([runs(rig, waiting[0] ?? ''), await code(rig, waiting[1] ?? '')], [true, 'breaker_open'])
    rig.engine().call.finish()
    await settled()
    assert.ok(runs(rig, waiting[1] ?? ''))
  })

  it('run_again, continues: first in the queue, and the run takes up the answer as was said', async () => {
    for (const [props, expected] of [[{}, 'run_again'] as const, [continues, 'continues'] as const]) {
      const rig = await startRig({ pools: twoReplicas, props })
      await runAll(rig, 'a', 'b', 'c')
      rig.engine('pool/r0').call.say('one ')
      await settled()
      rig.engine('pool/r0').onStart = () => new Promise(() => undefined)
      rig.engine('pool/r0').die()
      await settled()
      assert.deepEqual(await codes(rig, 'a', 'c'), [expected, 'slots_busy'])
      rig.engine('pool/r1').call.finish()
      await settled()
      assert.deepEqual([runs(rig, 'a'), await code(rig, 'c')], [true, 'next'])
      assert.equal(rig.engine('pool/r1').call.request.continue_from, expected === 'continues' ? 'one ' : undefined)
    }
  })

  it('runs_alone: with its slot it waits for the others to leave, and nobody comes', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [replica('r0', 2)] })] })
    await runAll(rig, 'a', 'b', 'c')
    for (let run = 0; run < 2; run++) {
      rig
        .engine()
        .running.find(({ request }) => request.session === 'ann/s-a')
        ?.fail()
      await settled()
    }
    const { state } = await rig.tasks.get(ann, 'a')
    const waits = await told(rig, 'a')
    assert.deepEqual([state, waits?.code, waits?.replica_id, await code(rig, 'c')], ['running', 'runs_alone', 'r0', 'next'])
    assert.deepEqual(
      rig.engine().running.map(({ request }) => request.session),
      ['ann/s-b'],
    )
    rig.engine().running[0]?.finish()
    await settled()
    assert.equal(await told(rig, 'a'), undefined)
    assert.deepEqual(
      rig.engine().running.map(({ request }) => request.session),
      ['ann/s-a'],
    )
  })

  it('draining: it is worked off until the time that was said, and ends then', async () => {
    const rig = await startRig()
    await runAll(rig, 'a', 'b', 'c')
    await rig.drain.order('pool', 5000)
    const draining = { code: 'draining', text: 'the pool drains; this is among its last tasks', until_ms: 5000, ahead: 1, slots: 1 }
    assert.deepEqual(await told(rig, 'c'), draining)
    rig.engine().call.finish()
    await settled()
    assert.ok(runs(rig, 'b'))
    await rig.clock.advance(5000)
    assert.equal((await rig.tasks.get(ann, 'c')).error?.code, 'POOL_UNREADY')
  })

  it('recovering: it starts when the engines have been started', async () => {
    const rig = await startRig()
    await runAll(rig, 'a', 'b')
    rig.engine().call.finish()
    await settled()
    const seen: unknown[] = []
    const recovered: RigOptions['recovered'] = async ({ tasks }) => {
      const { state, waits } = await tasks.get(ann, 'b')
      seen.push(state, waits?.code, waits?.text)
    }
    const next = await startRig({ storage: rig.storage, clock: rig.clock, recovered })
    assert.deepEqual(seen, ['queued', 'recovering', 'the daemon has just started'])
    assert.ok(runs(next, 'b'))
  })

  it('stopping: it waits for the next life of the daemon', async () => {
    const rig = await startRig()
    await runAll(rig, 'a', 'b')
    const quiet = rig.quiesce(1000)
    await settled()
    assert.equal(await code(rig, 'b'), 'stopping')
    rig.engine().call.finish()
    await settled()
    assert.ok(!runs(rig, 'b'))
    await quiet
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.ok(runs(next, 'b'))
  })
})

describe('what is told of a task whose pool shares its devices', () => {
  const pools = ['a', 'b'].map((id) => poolConfig({ id, model: `mock:${id}` }))
  const groups = [{ id: 'gpu', pools: ['a', 'b'], idle_unload_ms: 600_000 }]
  const ofModel = (id: string): { readonly model_ref: string } => ({ model_ref: `mock:${id}` })

  it('model_loading, model_asleep: who has the GPU, and when it is expected', async () => {
    const clock = new FakeClock()
    const rig = await startRig({ pools, groups, clock, prepare: (engine) => (engine.onStart = () => pause(clock, 5000)) })
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    await clock.advance(1000)
    const loading = { code: 'model_loading', text: 'the model is being loaded', until_ms: 9000, ahead: 0, slots: 1 }
    assert.deepEqual(await told(rig, 'a1'), loading)
    await rig.run({ task_id: 'b1', ...ofModel('b') })
    const asleep = await told(rig, 'b1')
    assert.deepEqual([asleep?.code, asleep?.text, asleep?.pool_id], ['model_asleep', 'a has the GPU', 'a'])
    await clock.advance(4000)
    assert.deepEqual([runs(rig, 'a1'), await code(rig, 'b1')], [true, 'model_asleep'])
    rig.engine('a/r0').call.finish()
    await clock.advance(1)
    assert.equal(await code(rig, 'b1'), 'model_loading')
    await clock.advance(5000)
    assert.ok(runs(rig, 'b1'))
  })

  it('pool_down: its load has failed, and is tried again when it was said', async () => {
    const rig = await startRig({
      pools,
      groups,
      prepare: (engine) => (engine.onStart = () => (engine.starts < 2 ? Promise.reject(new Error('no memory')) : Promise.resolve())),
    })
    await rig.run({ task_id: 'a1', ...ofModel('a') })
    assert.deepEqual(await told(rig, 'a1'), { code: 'pool_down', text: 'no replica is up', until_ms: 250, ahead: 0, slots: 1 })
    await rig.clock.advance(250)
    assert.ok(runs(rig, 'a1'))
  })
})
