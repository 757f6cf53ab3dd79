import assert from 'node:assert/strict'
import { actingFor } from '../../../src/domain/principal.ts'
import { EngineError } from '../../../src/ports/engine.ts'
import type { Artifact } from '../../../src/domain/artifact.ts'
import type { TaskState } from '../../../src/domain/task.ts'
import { Artifacts } from '../../../src/services/artifacts.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { ann, bob, boss, poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'
import { unlimited } from '../../harness/unlimited.ts'

/** One finished, one failed, one canceled, one running and three that wait. */
async function busyRig(): Promise<Rig> {
  const rig = await startRig()
  for (const task_id of ['done', 'failed', 'canceled', 'running', 'q1', 'q2', 'q3']) {
    await rig.run({ task_id, session_id: task_id.startsWith('q') ? 'waiting' : 'others' })
    if (task_id === 'done') rig.engine().call.finish()
    if (task_id === 'failed') {
      rig.engine().call.say('a')
      rig.engine().call.fail(new EngineError('no', { retriable: false }))
    }
    if (task_id === 'canceled') await rig.cancellation.cancel(ann, task_id)
    await settled()
  }
  await rig.run({ task_id: 'foreign' }, bob)
  return rig
}

describe('tasks', () => {
  it('are shown as they are', async () => {
    const rig = await busyRig()
    const view = (id: string) => rig.tasks.get(ann, id)
    const states = ['done', 'failed', 'canceled', 'running', 'q1'].map(async (id) => (await view(id)).state)
    assert.deepEqual(await Promise.all(states), ['completed', 'failed', 'canceled', 'running', 'queued'])
    const [done, failed, running, queued] = [await view('done'), await view('failed'), await view('running'), await view('q2')]
    const now = new Date(rig.clock.now()).toISOString()
    assert.deepEqual([done.finish_reason, done.tokens_out, done.finished_at, done.replica_id], ['stop', 1, now, 'r0'])
    assert.equal(failed.error?.code, 'WORKER_RESET')
    assert.deepEqual([running.started_at, running.replica_id, running.queue_position], [now, 'r0', undefined])
    assert.deepEqual([queued.queue_position, queued.started_at, typeof queued.predicted_start_ms], [1, undefined, 'number'])
  })

  it('are listed newest first, by state and session, and for control those of all', async () => {
    const rig = await busyRig()
    const list = async (query: { state?: TaskState; session_id?: string }, who = ann): Promise<string> =>
      (await rig.tasks.list(who, query)).tasks.map(({ task_id }) => task_id).join(' ')
    assert.equal(await list({}), 'q3 q2 q1 running canceled failed done')
    assert.equal(await list({ state: 'queued' }), 'q3 q2 q1')
    assert.equal(await list({ state: 'running' }), 'running')
    assert.equal(await list({ state: 'completed' }), 'done')
    assert.equal(await list({ state: 'canceled' }), 'canceled')
    assert.equal(await list({ session_id: 'others', state: 'failed' }), 'failed')
    assert.equal(await list({ session_id: 'waiting' }), 'q3 q2 q1')
    assert.equal(await list({}, bob), 'foreign')
    assert.equal(await list({}, boss), 'foreign q3 q2 q1 running canceled failed done')
  })

  it('are listed at the cost of a page, however long the queue is', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 200 }, replicas: [{ id: 'r0', slots: 2 }] })] })
    for (let i = 0; i < 100; i++) await rig.admit()
    await settled()
    const { journal } = rig.storage
    const list = journal.list.bind(journal)
    let read = 0
    journal.list = async (filter) => {
      const slice = await list(filter)
      read += slice.tasks.length
      return slice
    }
    for (const state of ['running', 'queued', undefined] as const)
      for (const who of [ann, boss]) {
        read = 0
        const { tasks } = await rig.tasks.list(who, { state, limit: 5 })
        assert.equal(tasks.length, state === 'running' ? 2 : 5)
        assert.ok(read <= 5 + 1 + 2, `${read} tasks were read for a page of ${state ?? 'all'}`)
      }
  })

  it('are listed with one look at what runs for all of a page that wait', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 200 }, replicas: [{ id: 'r0', slots: 2 }] })] })
    for (let i = 0; i < 50; i++) await rig.admit()
    await settled()
    const { estimator } = rig.pool()
    const outlook = estimator.outlook.bind(estimator)
    let looks = 0
    estimator.outlook = (...given) => {
      looks++
      return outlook(...given)
    }
    const { tasks } = await rig.tasks.list(ann, { state: 'queued', limit: 40 })
    assert.equal(tasks.length, 40)
    assert.equal(looks, 1)
    const [first] = tasks
    assert.equal(first?.predicted_start_ms, (await rig.tasks.get(ann, String(first?.task_id))).predicted_start_ms)
  })

  it('are listed completely, once each, in pages of any size', async () => {
    const rig = await busyRig()
    for (const [state, expected] of [
      [undefined, 7],
      ['queued', 3],
      ['running', 1],
      ['failed', 1],
    ] as const)
      for (const limit of [1, 2, 3, 7, 50]) {
        const seen: string[] = []
        for (let cursor: string | undefined, pages = 0; ; pages++) {
          const page = await rig.tasks.list(ann, { state, limit, cursor })
          seen.push(...page.tasks.map(({ task_id }) => task_id))
          assert.ok(page.tasks.length <= limit)
          cursor = page.next_cursor
          if (cursor === undefined) break
          assert.ok(pages < 10 && page.tasks.length === limit)
        }
        assert.equal(new Set(seen).size, seen.length)
        assert.equal(seen.length, expected, `${String(state)} in pages of ${limit}`)
      }
  })

  it('are not there for another key', async () => {
    const rig = await busyRig()
    for (const id of ['done', 'running', 'q1', 'unknown']) assert.equal((await refusalOf(rig.tasks.get(bob, id))).kind, 'not_found')
    for (const id of ['done', 'running', 'q1']) assert.equal((await rig.tasks.get(actingFor(boss, 'ann'), id)).task_id, id)
  })
})

describe('artifacts', () => {
  const plan: Artifact = { kind: 'plan', content: 'c', tags: ['x'], metadata: {} }
  const make = () => {
    const storage = new MemoryStorage()
    const clock = new FakeClock()
    return { storage, clock, artifacts: new Artifacts({ ...unlimited, store: storage.artifacts, journal: storage.journal, clock }) }
  }

  it('are the same however often they are created, with the time of the first', async () => {
    const { artifacts, clock } = make()
    const first = await artifacts.create(ann, plan)
    await clock.advance(1000)
    assert.deepEqual(await artifacts.create(ann, { ...plan }), first)
    const foreign = await artifacts.create(bob, plan)
    assert.equal(foreign.id, first.id)
    assert.notEqual(foreign.created_at, first.created_at)
    assert.deepEqual(await artifacts.get(ann, first.id), plan)
  })

  it('belong to the key that created them', async () => {
    const { artifacts } = make()
    const { id } = await artifacts.create(ann, plan)
    assert.equal((await refusalOf(artifacts.get(bob, id))).kind, 'not_found')
    assert.deepEqual(await artifacts.get(actingFor(boss, 'ann'), id), plan)
    assert.equal((await artifacts.list(bob, {})).artifacts.length, 0)
    assert.equal((await artifacts.list(boss, {})).artifacts.length, 1)
  })

  it('have a parent the key can see, or are refused', async () => {
    const { artifacts } = make()
    const { id } = await artifacts.create(ann, plan)
    assert.equal((await artifacts.create(ann, { ...plan, parent: id })).parent, id)
    const error = await refusalOf(artifacts.create(bob, { ...plan, parent: id }))
    assert.deepEqual([error.kind, error.message], ['invalid_params', 'body.parent: no such artifact'])
  })

  it('are listed in pages, newest first, by kind and tag', async () => {
    const { artifacts } = make()
    for (const content of ['1', '2', '3', '4', '5'])
      await artifacts.create(ann, {
        ...plan,
        content,
        tags: [Number(content) % 2 === 0 ? 'even' : 'odd'],
        kind: content === '5' ? 'diff' : 'plan',
      })
    const first = await artifacts.list(ann, { limit: 2 })
    const second = await artifacts.list(ann, { limit: 2, cursor: first.next_cursor })
    const third = await artifacts.list(ann, { limit: 2, cursor: second.next_cursor })
    const tags = [first, second, third].map(({ artifacts: page }) => page.flatMap((ref) => ref.tags).join(' '))
    assert.deepEqual(tags, ['odd even', 'odd even', 'odd'])
    assert.equal(third.next_cursor, undefined)
    assert.equal((await artifacts.list(ann, { tag: 'odd', kind: 'plan' })).artifacts.length, 2)
  })
})
