import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, boss, poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'
import type { TaskQuery } from '../../../src/services/tasks/tasks.ts'

/** Two pools of one model; a task of ann runs in `a` and three wait there, one of them of bob. */
async function twoPools(): Promise<Rig> {
  const rig = await startRig({ pools: [poolConfig({ id: 'a' }), poolConfig({ id: 'b' })] })
  const here = { placement: { mode: 'prefer' as const, prefer_pools: ['a'], allow_fallback: true } }
  await rig.run({ task_id: 'runs', ...here })
  await rig.run({ task_id: 'w-1', ...here })
  await rig.run({ task_id: 'w-2', ...here })
  await rig.run({ task_id: 'w-3', ...here }, bob)
  await settled()
  return rig
}

const lister =
  (rig: Rig, who = boss) =>
  async (query: TaskQuery): Promise<string> =>
    (await rig.tasks.list(who, query)).tasks.map(({ task_id, pool_id }) => `${task_id}@${pool_id}`).join(' ')

describe('lists of tasks', () => {
  it('follow a task to another pool, while it waits, runs and when it has ended', async () => {
    const rig = await twoPools()
    const list = lister(rig)
    assert.equal(await list({ pool_id: 'a' }), 'w-3@a w-2@a w-1@a runs@a')
    rig.drain.drain('a', 60_000)
    // Before it is written where they are nobody is shown in a pool that he is not in.
    assert.equal(await list({ pool_id: 'a' }), 'runs@a')
    await settled()
    assert.equal(await list({ pool_id: 'b' }), 'w-3@b w-2@b w-1@b')
    assert.equal(await list({ pool_id: 'b', state: 'running' }), 'w-1@b')
    assert.equal(await list({ pool_id: 'b', state: 'queued' }), 'w-3@b w-2@b')
    rig.engine('b/r0').call.finish()
    await settled()
    assert.equal(await list({ pool_id: 'b', state: 'completed' }), 'w-1@b')
    assert.equal((await rig.tasks.get(ann, 'w-1')).pool_id, 'b')
  })

  it('are by error, beginning of the id and time of acceptance', async () => {
    const rig = await twoPools()
    const list = lister(rig)
    const before = new Date(rig.clock.now()).toISOString()
    await rig.clock.advance(1000)
    const then = new Date(rig.clock.now()).toISOString()
    await rig.run({ task_id: 'w-4' })
    await rig.cancellation.cancel(ann, 'w-1')
    await settled()
    assert.equal(await list({ code: 'CANCELED' }), 'w-1@a')
    assert.equal(await list({ code: 'CANCELED', state: 'running' }), '')
    assert.equal(await list({ task_id: 'w-', state: 'queued' }), 'w-3@a w-2@a')
    assert.equal(await list({ task_id: 'r', state: 'running' }), 'runs@a')
    assert.equal(await list({ from: then }), 'w-4@b')
    assert.equal(await list({ to: then, task_id: 'w-' }), 'w-3@a w-2@a w-1@a')
    assert.equal(await list({ state: 'running', from: before, to: then }), 'runs@a')
  })

  it('show a key nothing of others, whatever it asks for', async () => {
    const rig = await twoPools()
    const list = lister(rig, bob)
    for (const query of [{}, { pool_id: 'a' }, { task_id: 'w' }, { from: '2000-01-01T00:00:00Z' }, { state: 'queued' }] as const)
      assert.equal(await list(query), 'w-3@a')
    assert.equal(await list({ state: 'running', pool_id: 'a' }), '')
    assert.equal(await list({ session_id: 's-w-1' }), '')
    assert.equal((await refusalOf(rig.tasks.list(bob, { owner: 'ann' }))).kind, 'forbidden')
  })

  it('find a task where it was moved to after a restart as well', async () => {
    const rig = await twoPools()
    rig.drain.drain('a', 60_000)
    await settled()
    const again = await startRig({ pools: [poolConfig({ id: 'a' }), poolConfig({ id: 'b' })], storage: rig.storage })
    assert.equal(await lister(again)({ pool_id: 'b', state: 'queued', task_id: 'w-' }), 'w-3@b w-2@b')
  })
})
