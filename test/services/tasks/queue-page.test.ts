import assert from 'node:assert/strict'
import { actingFor } from '../../../src/domain/principal.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import type { QueuePage, QueueQuery } from '../../../src/services/tasks/queue-page.ts'
import { ann, bob, boss, poolConfig, refusalOf, startRig, teach, type Rig } from '../../harness/rig.ts'

type Entry = QueuePage['entries'][number]

/** Two run; of those that wait every other one is bob's, and some are batch work. */
async function busy(): Promise<Rig> {
  const rig = await startRig({
    pools: [
      poolConfig({
        replicas: [
          { id: 'r0', slots: 1 },
          { id: 'r1', slots: 1 },
        ],
        queue: { capacity: 64, full_policy: 'reject', batch_every: 3 },
      }),
    ],
  })
  teach(rig.pool())
  for (let n = 0; n < 12; n++) {
    const priority = n % 3 === 2 ? 'batch' : 'interactive'
    await rig.run({ task_id: `t${n}`, session_id: `s${n}`, priority, deadline_ms: 600_000 + n }, n % 2 === 0 ? ann : bob)
    await rig.clock.advance(5)
  }
  return rig
}

const queue = (rig: Rig, who: Principal, query: QueueQuery = {}): QueuePage => rig.tasks.queue(who, 'pool', query)

const ids = (page: QueuePage): string => page.entries.map(({ task_id }) => task_id ?? '?').join(' ')

describe('the queue of a pool', () => {
  it('is who runs, then who waits in dispatch order', async () => {
    const rig = await busy()
    const page = queue(rig, boss)
    assert.deepEqual([page.pool_id, page.slots, page.next_cursor], ['pool', 2, undefined])
    assert.equal(page.entries.map(({ state }) => state[0]).join(''), 'rrqqqqqqqqqq')
    assert.deepEqual(
      page.entries.slice(0, 2).map(({ task_id, replica_id }) => [task_id, replica_id]),
      [
        ['t0', 'r0'],
        ['t1', 'r1'],
      ],
    )
    assert.deepEqual(
      page.entries.slice(2).map(({ queue_position }) => queue_position),
      [...Array(10).keys()],
    )
    const promised = ids(page).split(' ').slice(2)
    const taken: string[] = []
    for (let task = rig.pool().scheduler.next(); task !== undefined; task = rig.pool().scheduler.next()) taken.push(task.accepted.task_id)
    assert.deepEqual(promised, taken)
  })

  it('says of each task what getTask and its metrics say', async () => {
    const rig = await busy()
    for (const entry of queue(rig, boss).entries) {
      const view = await rig.tasks.get(actingFor(boss, String(entry.owner)), String(entry.task_id))
      assert.deepEqual(
        [entry.state, entry.priority, entry.owner, entry.session_id, entry.replica_id, entry.queue_position, entry.predicted_start_ms],
        [view.state, view.priority, view.owner, view.session_id, view.replica_id, view.queue_position, view.predicted_start_ms],
      )
      assert.equal(entry.age_ms, rig.clock.now() - Date.parse(view.accepted_at))
      assert.equal(entry.deadline_in_ms, 600_000 + Number(entry.task_id?.slice(1)) - entry.age_ms)
    }
    const waiting = queue(rig, boss).entries.slice(2)
    assert.ok(waiting.every(({ on_time_probability: chance }) => chance !== undefined && chance >= 0 && chance <= 1))
    const starts = waiting.map(({ predicted_start_ms }) => predicted_start_ms ?? -1)
    assert.deepEqual(
      starts,
      [...starts].sort((a, b) => a - b),
    )
  })

  it('shows a key its own tasks, and of the others nothing but that they are there', async () => {
    const rig = await busy()
    const [all, anns, bobs] = [queue(rig, boss), queue(rig, ann), queue(rig, bob)]
    assert.match(ids(anns), /^t0 \? /)
    const allowed = ['age_ms', 'on_time_probability', 'predicted_start_ms', 'priority', 'queue_position', 'state']
    all.entries.forEach((entry, at) => {
      const { owner, ...own } = entry
      const [mine, theirs] = (owner === 'ann' ? [anns, bobs] : [bobs, anns]).map(({ entries }) => entries[at]) as [Entry, Entry]
      assert.deepEqual(mine, own)
      assert.deepEqual(
        Object.keys(theirs).filter((field) => !allowed.includes(field)),
        [],
      )
      for (const field of Object.keys(theirs) as (keyof Entry)[]) assert.equal(theirs[field], entry[field])
    })
  })

  it('comes in pages of any size, each entry once', async () => {
    const rig = await busy()
    const whole = queue(rig, boss).entries
    for (const limit of [1, 2, 5, 11, 12, 13]) {
      const entries: Entry[] = []
      let page = queue(rig, boss, { limit })
      entries.push(...page.entries)
      while (page.next_cursor !== undefined) {
        page = queue(rig, boss, { limit, cursor: page.next_cursor })
        assert.ok(page.entries.length > 0)
        entries.push(...page.entries)
      }
      assert.deepEqual(entries, whole)
    }
    assert.deepEqual(queue(rig, boss, { cursor: '12' }), { pool_id: 'pool', slots: 2, entries: [] })
  })

  it('begins after as many entries as are asked for, of those that fit', async () => {
    const rig = await busy()
    const whole = queue(rig, boss).entries
    for (const offset of [0, 1, 5, 11, 12, 100]) assert.deepEqual(queue(rig, boss, { offset }).entries, whole.slice(offset))
    const bobs = whole.filter(({ owner }) => owner === 'bob')
    assert.deepEqual(queue(rig, boss, { owner: 'bob' }).entries, bobs)
    assert.deepEqual(queue(rig, boss, { owner: 'bob', offset: 2, limit: 2 }).entries, bobs.slice(2, 4))
    assert.equal(ids(queue(rig, boss, { session_id: 's7' })), 't7')
    const refusal = await refusalOf(Promise.resolve().then(() => queue(rig, boss, { offset: 1, cursor: '2' })))
    assert.deepEqual([refusal.kind, refusal.message.includes('query.offset')], ['invalid_params', true])
  })

  it('is of those who wait for a reason', async () => {
    const rig = await busy()
    const whole = queue(rig, boss).entries
    const codes = new Set(whole.map(({ waits }) => waits?.code))
    assert.ok(codes.size > 2, [...codes].join())
    for (const code of codes) {
      if (code === undefined) continue
      const fitting = whole.filter(({ waits }) => waits?.code === code)
      assert.deepEqual(queue(rig, boss, { waits: code }).entries, fitting)
      assert.deepEqual(queue(rig, boss, { waits: code, offset: 1 }).entries, fitting.slice(1))
    }
  })

  it('finds out for a limited number of tasks why they wait, and goes on where it stopped', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 2000 } })] })
    for (let n = 0; n < 1500; n++) await rig.admit({ task_id: `t${n}` })
    await rig.run({ task_id: 'bobs' }, bob)
    const first = queue(rig, boss, { waits: 'draining' })
    assert.deepEqual([first.entries, first.next_cursor], [[], '1000+0'])
    assert.deepEqual(queue(rig, boss, { waits: 'draining', cursor: '1000+0' }), { pool_id: 'pool', slots: 1, entries: [] })
    const far = queue(rig, boss, { waits: 'slots_busy', offset: 1200, limit: 1 })
    assert.deepEqual([far.entries, far.next_cursor], [[], '1000+202'])
    assert.equal(ids(queue(rig, boss, { waits: 'slots_busy', limit: 1, cursor: '1000+202' })), 't1202')
    // Others' tasks are not even counted: what a key gets says nothing of them.
    assert.equal(queue(rig, bob, { waits: 'draining' }).next_cursor, undefined)
  })

  it('shows a key with a filter nothing of others, not even places', async () => {
    const rig = await busy()
    assert.equal(ids(queue(rig, ann, { session_id: 's1' })), '')
    assert.match(ids(queue(rig, ann, { waits: 'slots_busy' })), /^(t\d+ ?)+$/)
    assert.equal((await refusalOf(Promise.resolve().then(() => queue(rig, ann, { owner: 'bob' })))).kind, 'forbidden')
  })

  it('is not there where the pool is not', async () => {
    const rig = await startRig()
    assert.equal((await refusalOf(Promise.resolve().then(() => rig.tasks.queue(ann, 'none', {})))).kind, 'not_found')
    assert.deepEqual(rig.tasks.queue(ann, 'pool', {}).entries, [])
  })
})
