import assert from 'node:assert/strict'
import type { EngineProps } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

const replica = (id: string, slots = 1): object => ({ id, slots })
const two = [poolConfig({ replicas: [replica('r0'), replica('r1')] })]
const pools = [poolConfig({ id: 'one' }), poolConfig({ id: 'two' })]
const continues: Partial<EngineProps> = { replayable: false, features: ['continues'] }

/** Engines of each pool say this of themselves. */
const prepare =
  (by: Readonly<Record<string, Partial<EngineProps>>>): NonNullable<RigOptions['prepare']> =>
  (engine, pool_id) => {
    engine.props = { ...engine.props, ...by[pool_id] }
  }

const where = (rig: Rig, task_id: string): unknown[] => [rig.task(task_id).pool.id, rig.task(task_id).replica_id, rig.task(task_id).phase]

describe('failover', () => {
  it('goes on at once on another replica that is free, and only then on its own', async () => {
    const rig = await startRig({ pools: two })
    await rig.run({ task_id: 't' })
    rig.engine('pool/r0').call.fail()
    await settled()
    assert.deepEqual(where(rig, 't'), ['pool', 'r1', 'running'])
    assert.deepEqual(
      rig.pool().replicas.map(({ busy }) => busy),
      [0, 1],
    )
    rig.engine('pool/r1').call.say('a')
    rig.engine('pool/r1').call.finish()
    await settled()
    assert.equal((await rig.tail('t')).end?.['replica_id'], 'r1')
    assert.deepEqual(
      rig.lines.filter(({ fields }) => fields['event'] === 'failover').map(({ message }) => message),
      ['Run 1 of task t failed; it goes on.'],
    )
  })

  it('goes to another pool of its model where its own is down, and comes first there', async () => {
    const rig = await startRig({ pools })
    for (const task_id of ['t', 'u', 'waits']) await rig.run({ task_id })
    assert.deepEqual(
      [where(rig, 't'), where(rig, 'u')],
      [
        ['one', 'r0', 'running'],
        ['two', 'r0', 'running'],
      ],
    )
    rig.engine('one/r0').die()
    await settled()
    assert.deepEqual(where(rig, 't').slice(0, 1), ['two'])
    rig.engine('two/r0').call.finish()
    await settled()
    assert.deepEqual(where(rig, 't'), ['two', 'r0', 'running'])
    rig.engine('two/r0').call.finish()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'completed')
  })

  it('waits for its own pool where its placement allows no other', async () => {
    const rig = await startRig({ pools })
    await rig.run({ task_id: 't', placement: { mode: 'pin', pin_pool_id: 'one' } })
    rig.engine('one/r0').die()
    await settled()
    assert.deepEqual(where(rig, 't').slice(0, 1), ['one'])
    await rig.clock.advance(250)
    assert.deepEqual(where(rig, 't'), ['one', 'r0', 'running'])
  })

  it('does not replay in another pool: the same seed may give another text there', async () => {
    const rig = await startRig({ pools })
    await rig.run({ task_id: 't' })
    rig.engine('one/r0').call.say('one ')
    rig.engine('one/r0').die()
    await settled()
    assert.deepEqual(where(rig, 't').slice(0, 1), ['one'])
    await rig.clock.advance(250)
    assert.deepEqual(where(rig, 't'), ['one', 'r0', 'running'])
  })

  it('goes on in another pool from the text, which is then in the journal', async () => {
    const rig = await startRig({ pools, prepare: prepare({ two: continues }) })
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.engine('one/r0').call.say('one ')
    rig.engine('one/r0').call.say('two ')
    await settled()
    assert.deepEqual(await rig.storage.journal.recorded({ owner: 'ann', task_id: 't' }), [], 'a pool that replays writes nothing')
    rig.engine('one/r0').die()
    await settled()
    assert.deepEqual(where(rig, 't'), ['two', 'r0', 'running'])
    assert.equal(rig.engine('two/r0').call.request.continue_from, 'one two ')
    assert.deepEqual(await rig.storage.journal.recorded({ owner: 'ann', task_id: 't' }), ['["one ","two "]'])
    rig.engine('two/r0').call.say('three')
    await settled()
    const next = await startRig({ pools, prepare: prepare({ one: continues, two: continues }), storage: rig.storage, clock: rig.clock })
    await settled()
    assert.equal((await next.tail('t')).text, 'one two three')
    assert.equal(tail.text, 'one two three')
  })

  it('ends with WORKER_RESET where an engine that came back cannot go on any more', async () => {
    const rig = await startRig({ props: continues })
    await rig.run({ task_id: 't' })
    rig.engine().call.say('one ')
    await settled()
    rig.engine().props = { ...rig.engine().props, features: [] }
    rig.engine().die()
    await rig.clock.advance(250)
    const { end } = await rig.tail('t')
    assert.deepEqual([end?.['code'], end?.['retriable'], rig.pool().slotsBusy], ['WORKER_RESET', true, 0])
  })
})

describe('a task with two failed runs', () => {
  const crowd = async (): Promise<Rig> => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [replica('r0', 3)] })] })
    for (const task_id of ['t', 'u', 'waits1', 'waits2']) await rig.run({ task_id })
    return rig
  }
  const running = (rig: Rig): unknown[] => rig.engine().running.map(({ request }) => request.session)

  it('runs alone on its replica: the others leave first, and nobody comes', async () => {
    const rig = await crowd()
    rig.engine().calls[0]?.fail()
    await settled()
    rig.engine().calls[3]?.fail()
    await settled()
    assert.deepEqual(running(rig), ['ann/s-u', 'ann/s-waits1'])
    for (const call of rig.engine().running) call.finish()
    await settled()
    assert.deepEqual(running(rig), ['ann/s-t'])
    assert.equal(rig.pool().scheduler.depth(), 1, 'there is room, but it is alone')
    rig.engine().call.finish()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'completed')
    assert.deepEqual(running(rig), ['ann/s-waits2'])
  })

  it('lets one of several be alone at a time, and gives nobody up for another', async () => {
    const rig = await crowd()
    for (let death = 0; death < 2; death++) {
      rig.engine().die()
      await rig.clock.advance(500)
    }
    // All three were on the engine when it died, twice. The third time only the one that kills it is there.
    assert.deepEqual(running(rig), ['ann/s-t'])
    rig.engine().die()
    await rig.clock.advance(1000)
    assert.deepEqual([(await rig.tasks.get(ann, 't')).error?.retriable, running(rig)], [false, ['ann/s-u']])
    for (let left = 3; left > 0; left--) {
      rig.engine().running[0]?.finish()
      await settled()
    }
    for (const task_id of ['u', 'waits1', 'waits2']) assert.equal((await rig.tasks.get(ann, task_id)).state, 'completed', task_id)
    assert.equal(rig.pool().slotsBusy, 0)
  })

  it('can be canceled while it waits for that, and the replica is everybody’s again', async () => {
    const rig = await crowd()
    rig.engine().calls[0]?.fail()
    await settled()
    rig.engine().calls[3]?.fail()
    await settled()
    await rig.cancellation.cancel(ann, 't')
    await settled()
    assert.deepEqual(running(rig), ['ann/s-u', 'ann/s-waits1', 'ann/s-waits2'])
  })

  it('does not lose its last run to an engine that dies while it waits', async () => {
    const rig = await crowd()
    rig.engine().calls[0]?.fail()
    await settled()
    rig.engine().calls[3]?.fail()
    await settled()
    rig.engine().die()
    await settled()
    assert.equal(rig.task('t').attempts, 2)
    await rig.clock.advance(1000)
    assert.deepEqual(running(rig), ['ann/s-t'])
  })
})
