import assert from 'node:assert/strict'
import fc from 'fast-check'
import { lostShown, type Restart } from '../../../src/domain/restart.ts'
import { fateIfKilled } from '../../../src/services/tasks/fate.ts'
import { settled } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { ann, bob, boss, poolConfig, startRig, taught_ms, teach, type Rig, type RigOptions } from '../../harness/rig.ts'

const abilities = {
  replays: { replayable: true },
  continues: { replayable: false, features: ['chat_template', 'continues'] },
  neither: { replayable: false, features: ['chat_template'] },
} as const
type Kind = keyof typeof abilities
const kinds = Object.keys(abilities) as Kind[]

const options: RigOptions = {
  pools: kinds.map((id) => poolConfig({ id, model: `mock:${id}`, replicas: [{ id: 'r0', slots: 2 }] })),
  prepare: (engine, pool_id) => Object.assign(engine.props, { ...abilities[pool_id as Kind] }),
}

/** What a kill leaves, taken up by a second life. */
const killed = (rig: Rig): Promise<Rig> => startRig({ ...options, storage: rig.storage, clock: rig.clock })

const start = (rig: Rig, task_id: string, kind: Kind, who = ann) => rig.run({ task_id, model_ref: `mock:${kind}` }, who)

const step = fc.record({
  does: fc.oneof(
    { weight: 5, arbitrary: fc.constant('start' as const) },
    { weight: 6, arbitrary: fc.constantFrom('text' as const, 'reasoning' as const, 'call' as const) },
    { weight: 3, arbitrary: fc.constantFrom('finish' as const, 'fail' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
  ),
  kind: fc.constantFrom(...kinds),
  pick: fc.nat(9),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function act(rig: Rig, { does, kind, pick }: Step): Promise<Rig> {
  const { running } = rig.engine(`${kind}/r0`)
  const call = running[pick % Math.max(1, running.length)]
  if (does === 'kill') return killed(rig)
  // After three failures in a row its breaker is open, and nothing is taken.
  if (does === 'start' && rig.pool(kind).ready) await rig.admit({ model_ref: `mock:${kind}` })
  else if (does === 'start') return rig
  else if (does === 'finish') call?.finish()
  else if (does === 'fail') call?.fail()
  else if (does === 'call') call?.give({ kind: 'tool_call', index: 0, id: 'c', name: 'f', text: '{' })
  else call?.give({ kind: does, text: 'word ' })
  await settled()
  return rig
}

/** What became of those tasks, in the words of a verdict. */
async function became(before: Rig, after: Rig): Promise<Omit<Restart, 'lossless_in_ms'>> {
  const sums = { waiting_kept: 0, running_continue: 0, running_rerun: 0, running_lost: 0 }
  const lost: Restart['lost'][number][] = []
  for (const task of before.live.all()) {
    const now = after.live.of(task.owner, task.head.task_id)
    if (now === undefined) {
      const { error } = await after.tasks.get({ ...ann, name: task.owner }, task.key.task_id)
      assert.equal(error?.code, 'WORKER_RESET')
      sums.running_lost++
      lost.push(task.key)
    } else if (task.phase === 'queued') sums.waiting_kept++
    else if (now.runs.recorded) sums.running_continue++
    else sums.running_rerun++
  }
  return { ...sums, lost }
}

describe('what a restart would do', () => {
  it('is what a kill then does, whatever ran and whatever had been out', async () => {
    let lost = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        let rig = await startRig(options)
        for (const one of steps) rig = await act(rig, one)
        const { lossless_in_ms, ...told } = rig.restart()
        assert.equal(lossless_in_ms === undefined, told.running_lost === 0)
        assert.deepEqual(told, await became(rig, await killed(rig)))
        lost += told.running_lost
      }),
      { numRuns: repeats({ quick: 60, long: 3000 }) },
    )
    assert.ok(lost > 0)
  })

  it('says when those that would be lost are expected to have ended, and then nothing is lost', async () => {
    const rig = await startRig(options)
    teach(rig.pool('neither'))
    await start(rig, 'a', 'neither')
    await start(rig, 'b', 'replays')
    const { lossless_in_ms, ...told } = rig.restart()
    assert.deepEqual(told, {
      waiting_kept: 0,
      running_continue: 0,
      running_rerun: 1,
      running_lost: 1,
      lost: [{ owner: 'ann', task_id: 'a' }],
    })
    assert.equal(lossless_in_ms, taught_ms)
    await rig.clock.advance(taught_ms)
    rig.engine('neither/r0').call.finish()
    await settled()
    assert.deepEqual([rig.restart().running_lost, rig.restart().lossless_in_ms], [0, undefined])
  })

  it('gives up a task whose third run it would cut off', async () => {
    let rig = await startRig(options)
    await start(rig, 'a', 'replays')
    for (let kills = 0; kills < 2; kills++) {
      assert.deepEqual([rig.restart().running_rerun, fateIfKilled(rig.task('a'))], [1, 'reruns'])
      rig = await killed(rig)
    }
    assert.deepEqual([rig.restart().running_lost, fateIfKilled(rig.task('a'))], [1, 'given_up'])
    assert.equal((await killed(rig)).live.size, 0)
  })

  it('knows what is left of a pool that was reloaded with another model, which nobody serves after a restart', async () => {
    const rig = await startRig(options)
    await start(rig, 'a', 'replays')
    const proof = rig.engine('replays/r0')
    const reloading = rig.reload.reload('replays', 'mock:other', 60_000)
    await settled()
    for (const engine of rig.engines.values()) if (engine !== proof) for (const call of engine.running) call.finish()
    await settled()
    await reloading
    assert.equal(rig.pool('replays').config.model, 'mock:other')
    assert.deepEqual(rig.restart().lost, [{ owner: 'ann', task_id: 'a' }])
    assert.equal((await killed(rig)).live.size, 0)
  })

  it('names to a key its own tasks, and to operators those of all, ten at most', async () => {
    const replicas = [{ id: 'r0', slots: 20 }]
    const rig = await startRig({ ...options, pools: [poolConfig({ id: 'neither', model: 'mock:neither', replicas })] })
    for (let n = 0; n < 12; n++) await start(rig, `a${n}`, 'neither')
    await start(rig, 'b', 'neither', bob)
    const told = rig.restart()
    assert.deepEqual([told.running_lost, lostShown(told, bob)], [13, ['b']])
    assert.equal(lostShown(told, boss).length, 10)
    assert.equal(lostShown(told, ann).includes('b'), false)
  })
})
