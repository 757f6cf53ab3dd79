import assert from 'node:assert/strict'
import { pause } from '../../../src/ports/clock.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { ann, boss, poolConfig, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'

const killed = (rig: Rig, options: RigOptions = {}): Promise<Rig> => startRig({ ...options, storage: rig.storage, clock: rig.clock })

/** What is told of a task's life. */
async function lifeOf(rig: Rig, task_id = 't') {
  const { phases = [], attempts = [], accepted_at } = await rig.tasks.get(ann, task_id)
  const since = (at: string): number => Date.parse(at) - Date.parse(accepted_at)
  return {
    phases: phases.map(({ phase, attempt, from_ms, to_ms }) => [phase, attempt, from_ms, to_ms]),
    attempts: attempts.map(({ n, replica_id, started_at, ended_at, code }) => [
      n,
      replica_id,
      since(started_at),
      ended_at === undefined ? undefined : since(ended_at),
      code,
    ]),
    messages: attempts.map(({ message }) => message),
  }
}

/** A task that waits for 50 ms and has its first part after 80. */
async function begun(options: RigOptions = {}): Promise<Rig> {
  const rig = await startRig(options)
  await rig.run({ task_id: 'before' })
  await rig.run({ task_id: 't' })
  await rig.clock.advance(50)
  rig.engine().call.finish()
  await rig.clock.advance(30)
  rig.engine().call.say('one ')
  return rig
}

const first = [
  ['queued', 1, 0, 50],
  ['prefilling', 1, 50, 80],
]

describe('the life of a task', () => {
  it('is told while it lives, and the same when it has ended', async () => {
    const rig = await begun()
    assert.deepEqual(await lifeOf(rig), {
      phases: [...first, ['decoding', 1, 80, undefined]],
      attempts: [[1, 'r0', 50, undefined, undefined]],
      messages: [undefined],
    })
    await rig.clock.advance(40)
    rig.engine().call.finish()
    await settled()
    const over = { phases: [...first, ['decoding', 1, 80, 120]], attempts: [[1, 'r0', 50, 120, undefined]], messages: [undefined] }
    assert.deepEqual(await lifeOf(rig), over)
    const next = await killed(rig)
    await next.clock.advance(1000)
    assert.deepEqual(await lifeOf(next), over)
    const { tasks } = await next.tasks.list(ann, {})
    assert.deepEqual([tasks[0]?.phases, tasks[0]?.attempts], [undefined, undefined], 'a list has no lives')
  })

  it('is kept over a kill: the run that was cut off ends when the daemon is back, and stays so over the next kill', async () => {
    const rig = await begun()
    await rig.clock.advance(1000)
    const before = await lifeOf(rig)
    const hanging: RigOptions = { prepare: (engine) => (engine.onStart = () => new Promise(() => undefined)) }
    await rig.clock.advance(500)
    const next = await killed(rig, hanging)
    const cut = { phases: [...first, ['decoding', 1, 80, 1580]], attempts: [[1, 'r0', 50, 1580, 'WORKER_RESET']] }
    assert.deepEqual(before.phases.slice(0, 2), first)
    const { messages, ...told } = await lifeOf(next)
    assert.deepEqual(told, { phases: [...cut.phases, ['loading', 2, 1580, undefined]], attempts: cut.attempts })
    assert.deepEqual(messages, ['The daemon ended while the task ran.'])
    await rig.clock.advance(700)
    const third = await killed(rig)
    await rig.clock.advance(5)
    third.engine().call.say('one two')
    third.engine().call.finish()
    await settled()
    const { phases, attempts } = await lifeOf(third)
    assert.deepEqual(phases, [...cut.phases, ['queued', 2, 1580, 2280], ['prefilling', 2, 2280, 2285]])
    assert.deepEqual(attempts, [...cut.attempts, [2, 'r0', 2280, 2285, undefined]])
  })

  it('keeps a run that an orderly stop cut off, though it does not count', async () => {
    const rig = await begun()
    const quiet = rig.quiesce(10)
    await rig.clock.advance(10)
    await quiet
    await rig.clock.advance(100)
    const next = await killed(rig)
    await next.clock.advance(1)
    assert.deepEqual(await lifeOf(next), {
      phases: [...first, ['decoding', 1, 80, 90], ['queued', 2, 90, 190], ['prefilling', 2, 190, undefined]],
      attempts: [
        [1, 'r0', 50, 90, 'WORKER_RESET'],
        [2, 'r0', 190, undefined, undefined],
      ],
      messages: ['The daemon was stopped while the task ran.', undefined],
    })
    assert.equal(next.task('t').attempts, 1)
  })

  it('has a run for each engine that failed; what the engine said is for operators', async () => {
    const rig = await begun()
    rig.engine().die()
    await rig.clock.advance(300)
    rig.engine().call.say('one ')
    rig.engine().call.finish()
    await settled()
    const { phases, attempts, messages } = await lifeOf(rig)
    assert.deepEqual(phases, [...first, ['queued', 2, 80, 330], ['prefilling', 2, 330, 380]])
    assert.deepEqual(attempts, [
      [1, 'r0', 50, 80, 'WORKER_RESET'],
      [2, 'r0', 330, 380, undefined],
    ])
    assert.deepEqual(messages, ['The engine failed while the task ran.', undefined])
    const seen = await rig.tasks.get({ ...boss, name: 'ann' }, 't')
    assert.equal(seen.attempts?.[0]?.message, 'the engine broke')
  })

  it('ends as the task ends: canceled, or never begun', async () => {
    const rig = await begun()
    await rig.run({ task_id: 'late', deadline_ms: 500 })
    await rig.cancellation.cancel(ann, 't')
    assert.deepEqual((await lifeOf(rig)).attempts, [[1, 'r0', 50, 80, 'CANCELED']])
    await rig.run({ task_id: 'never', deadline_ms: 100 })
    await rig.clock.advance(120)
    assert.deepEqual(await lifeOf(rig, 'never'), { phases: [['queued', 1, 0, 120]], attempts: [], messages: [] })
  })

  it('shows when its model was loaded', async () => {
    const clock = new FakeClock()
    const pools = ['a', 'b'].map((id) => poolConfig({ id, model: `mock:${id}` }))
    const groups = [{ id: 'gpu', pools: ['a', 'b'] }]
    const rig = await startRig({ pools, groups, clock, prepare: (engine) => (engine.onStart = () => pause(clock, 5000)) })
    await rig.run({ task_id: 'other', model_ref: 'mock:a' })
    await clock.advance(6000)
    await rig.run({ task_id: 't', model_ref: 'mock:b' })
    await clock.advance(700)
    rig.engine('a/r0').call.finish()
    await clock.advance(1000)
    assert.deepEqual((await lifeOf(rig)).phases, [
      ['queued', 1, 0, 700],
      ['loading', 1, 700, undefined],
    ])
    await clock.advance(5000)
    assert.deepEqual((await lifeOf(rig)).phases, [
      ['queued', 1, 0, 700],
      ['loading', 1, 700, 5700],
      ['prefilling', 1, 5700, undefined],
    ])
  })
})
