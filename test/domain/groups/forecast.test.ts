import assert from 'node:assert/strict'
import { Arbiter, type GroupRules } from '../../../src/domain/groups/arbiter.ts'
import { forecastLoad } from '../../../src/domain/groups/forecast.ts'
import { dueOf, type Member } from '../../../src/domain/groups/member.ts'
import { Scheduler, unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'

const member = (id: string, fields: Partial<Member> = {}): Member => ({
  ...{ id, state: 'asleep', since: 0, waiting: 0, interactive: 0, running: 0, drain_ms: 0, drain_late_ms: 0, work_ms: 0 },
  ...{ service_ms: 1000, load_ms: 5000, unload_ms: 1000, retry_at: 0, due_at: Infinity, late_at: Infinity, lost_at: Infinity },
  ...fields,
})
const rules: GroupRules = { loaded: 1, idle_unload_ms: 60_000, max_hold_ms: 30_000, preload: [], pin: [] }
const now = 1000

/** When `own` is expected to be loaded, ms from now. */
function loadedIn(members: readonly Member[], given: Partial<GroupRules> = {}): number {
  const arbiter = new Arbiter({ ...rules, ...given })
  arbiter.decide(members, 0)
  return forecastLoad(arbiter, members, 'own', { interactive: false, deadline_at: 1e9 }, now).mean
}

describe('when a pool of a group is expected to be loaded', () => {
  const leaving = member('leaving', { state: 'leaving', running: 1, drain_ms: 2000 })
  const own = member('own')

  it('is what is left of its load, or nothing where it is there', () => {
    assert.equal(loadedIn([member('own', { state: 'loaded' })]), 0)
    assert.equal(loadedIn([member('own', { state: 'loading' })]), 4000)
    assert.equal(loadedIn([member('own', { state: 'loading', load_ms: 500 })]), 0)
  })

  it('is its load where there is room, and not before it may be tried again', () => {
    assert.equal(loadedIn([own]), 5000)
    assert.equal(loadedIn([member('own', { retry_at: now + 700 })]), 5700)
  })

  it('is its load once another has left', () => {
    assert.equal(loadedIn([own, leaving]), 2000 + 1000 + 5000)
    assert.equal(loadedIn([member('own', { retry_at: now + 9000 }), leaving]), 9000 + 5000)
    assert.equal(loadedIn([own, member('gone', { state: 'unloading', unload_ms: 1500 })]), 500 + 5000)
    assert.equal(loadedIn([own, member('held', { state: 'loaded', held_until: now + 7000 })]), 7000 + 1000 + 5000)
  })

  it('is later by the turns of those that come first, as many at a time as may be loaded', () => {
    const first = member('first', { waiting: 1, work_ms: 4000 })
    const turn_ms = 5000 + 4000 + 1000
    assert.equal(loadedIn([own, leaving, first]), 3000 + turn_ms + 5000)
    const pinned = member('pinned', { state: 'loaded' })
    assert.equal(loadedIn([own, leaving, first, pinned], { loaded: 2, pin: ['pinned'] }), 3000 + turn_ms / 2 + 5000)
    const long = member('first', { waiting: 1, work_ms: 90_000 })
    assert.equal(loadedIn([own, leaving, long]), 3000 + 5000 + rules.max_hold_ms + 1000 + 5000, 'it has no more than its hold')
  })
})

describe('when a pool is expected to be loaded in the place of one whose tasks come again and again', () => {
  const service_ms = 4000
  const pause_ms = 1000
  const hold_ms = rules.max_hold_ms
  const swap_ms = 1000 + 5000
  const up = (busy: boolean): Member => member('up', { state: 'loaded', service_ms, running: busy ? 1 : 0 })

  /** An arbiter that has seen the tasks of `up`, and how those of `own` come; the last task has just ended. */
  function taught(own: readonly Member[] = []): { readonly arbiter: Arbiter; readonly now: number } {
    const arbiter = new Arbiter(rules)
    for (const [i, one] of own.entries()) arbiter.decide([one], i * 100)
    let now = own.length * 100
    for (let task = 0; task < 3; task++) {
      arbiter.decide([up(true), member('own')], now)
      arbiter.decide([up(false), member('own')], (now += service_ms))
      if (task < 2) now += pause_ms
    }
    return { arbiter, now }
  }

  const loadedIn = ({ arbiter, now }: ReturnType<typeof taught>, deadline_ms = Infinity): number =>
    forecastLoad(arbiter, [up(false), member('own')], 'own', { interactive: true, deadline_at: now + deadline_ms }, now).mean

  it('is after its hold, for it stays through its pauses', () => {
    assert.equal(loadedIn(taught()), hold_ms + swap_ms)
  })

  it('is sooner where more and more wait for it', () => {
    const joining = [1, 2, 3].map((waiting) => member('own', { waiting, interactive: waiting }))
    const seen = taught([...joining, member('own', { state: 'loading', waiting: 3, interactive: 3 })])
    // 2 in 300 ms. When 12 wait, the pauses of a second cost them as much as going out and in.
    const idle_ms = (12 - 1) / ((2 / 300) * (1 + service_ms / pause_ms))
    assert.ok(Math.abs(loadedIn(seen) - (idle_ms * (1 + service_ms / pause_ms) + swap_ms)) < 1e-6)
  })

  it('is in time for its deadline', () => {
    const needed_ms = 30_000 - 4 * 1000 - swap_ms - service_ms
    assert.equal(loadedIn(taught(), 30_000), needed_ms + swap_ms)
  })
})

describe('when a pool has to be loaded for its tasks to be in time', () => {
  it('goes by the interactive task whose deadline comes first, with what is ahead of it at the pace there is', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 9, full_policy: 'reject', batch_every: 8 })
    const put = (id: string, deadline_at: number, fields: Partial<Schedulable> = {}): void =>
      scheduler.restore({ ...{ id, owner: 'ann', priority: 'interactive', deadline_at, work_ms: 100, ...unplaced }, ...fields })
    assert.deepEqual(dueOf(scheduler, 1, 2), { due_at: Infinity, late_at: Infinity, lost_at: Infinity })
    put('batch', 1, { priority: 'batch' })
    put('first', 20_000)
    put('soonest', 10_000)
    // Each takes 200 ms, four times that at the longest and half of it at the shortest.
    assert.deepEqual(dueOf(scheduler, 1, 2), { due_at: 10_000 - 200 - 800, late_at: 10_000 - 200 - 200, lost_at: 10_000 - 200 })
    assert.deepEqual(dueOf(scheduler, 2, 2), { due_at: 10_000 - 100 - 800, late_at: 10_000 - 100 - 200, lost_at: 10_000 - 150 })
  })
})
