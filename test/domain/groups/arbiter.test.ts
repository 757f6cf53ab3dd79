import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByArbiter } from '../../../bench/group-policies.ts'
import { GroupSimulation, type GroupPolicy, type SimulatedPool } from '../../../bench/group-simulation.ts'
import type { GroupJob, GroupLoad } from '../../../bench/group-workload.ts'
import { Arbiter } from '../../../src/domain/groups/arbiter.ts'
import type { Member } from '../../../src/domain/groups/member.ts'

const hold_ms = 20_000
const job = fc.record({
  pool: fc.nat(3),
  gap_ms: fc.oneof(fc.nat(300), fc.nat(20_000)),
  decode_ms: fc.integer({ min: 1, max: 15_000 }),
  priority: fc.constantFrom('interactive' as const, 'batch' as const),
  deadline_ms: fc.oneof(fc.integer({ min: 1000, max: 120_000 }), fc.constant(1e9)),
})
type Drawn = Parameters<Parameters<typeof job.map>[0]>[0]

const world = fc.record({
  drawn: fc.array(job, { minLength: 1, maxLength: 120, size: 'max' }),
  pools: fc.integer({ min: 2, max: 4 }),
  loaded: fc.integer({ min: 1, max: 2 }),
  slots: fc.integer({ min: 1, max: 3 }),
  load_ms: fc.integer({ min: 1, max: 8000 }),
  unload_ms: fc.integer({ min: 1, max: 2000 }),
})

function loadOf({ drawn, ...group }: { readonly drawn: readonly Drawn[] } & Omit<GroupLoad, 'name' | 'jobs' | 'contested'>): GroupLoad {
  let at = 0
  const jobs = drawn.map(({ pool, gap_ms, decode_ms, priority, deadline_ms }, i): GroupJob => {
    at += gap_ms
    const shape = { prompt_tokens: 10, max_tokens: 1024 }
    return { id: String(i), pool: pool % group.pools, at, priority, deadline_ms, shape, tokens_out: 100, prefill_ms: 1, decode_ms }
  })
  return { name: 'drawn', contested: false, ...group, jobs }
}

/** Looks at the group before and after each decision. */
class Watched implements GroupPolicy {
  private readonly inner: ByArbiter
  private readonly look: (pools: readonly SimulatedPool[], was: readonly string[], now: number) => void

  constructor(loaded: number, look: Watched['look']) {
    this.inner = new ByArbiter({ loaded, max_hold_ms: hold_ms })
    this.look = look
  }

  decide(simulation: GroupSimulation, now: number): number {
    const was = simulation.pools.map(({ state }) => state)
    const look_at = this.inner.decide(simulation, now)
    this.look(simulation.pools, was, now)
    return look_at
  }
}

describe('the arbiter', () => {
  it('loads whoever waits within 2n(hold + longest task + swap), and never more at once than may be', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const load = loadOf(drawn)
        const longest = Math.max(...load.jobs.map(({ decode_ms }) => decode_ms)) + 1
        const bound = 2 * load.pools * (hold_ms + longest + load.load_ms + load.unload_ms)
        const since = new Map<string, number>()
        const policy = new Watched(load.loaded, (pools, _was, now) => {
          assert.ok(pools.filter(({ state }) => state !== 'asleep').length <= load.loaded)
          for (const { id, state, scheduler } of pools) {
            if (state === 'loading' || state === 'loaded' || scheduler.depth() === 0) since.delete(id)
            else since.set(id, since.get(id) ?? now)
            assert.ok(now - (since.get(id) ?? now) <= bound, `pool ${id} waits for ${now - (since.get(id) ?? now)} of ${bound}`)
          }
        })
        const fates = new GroupSimulation(load, policy).run()
        assert.equal(fates.length, load.jobs.length)
      }),
      { numRuns: 100 },
    )
  })

  it('swaps for somebody only: each load is for a pool with work, which fills its slots before it leaves', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const load = loadOf(drawn)
        const used = new Map<string, number>()
        const policy = new Watched(load.loaded, (pools, was, now) => {
          pools.forEach((pool, i) => {
            const { id, state, scheduler, running, used_at } = pool
            if (was[i] === 'asleep' && state === 'loading') assert.ok(scheduler.depth() > 0)
            if (was[i] === 'asleep' && state === 'loading') used.set(id, now)
            const served = used_at > (used.get(id) ?? Infinity) || running.size > 0 || scheduler.depth() === 0
            if (was[i] === 'loaded' && state === 'leaving') assert.ok(served, `pool ${id} leaves with nothing done`)
          })
        })
        new GroupSimulation(load, policy).run()
      }),
      { numRuns: 100 },
    )
  })

  it('lets a pool with work stay for the whole hold where no deadline presses and nobody has waited for too long', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const load = loadOf({ ...drawn, pools: 2, loaded: 1, drawn: drawn.drawn.map((one) => ({ ...one, deadline_ms: 1e9 })) })
        let contested: number | undefined
        let loaded: string | undefined
        const since = new Map<string, number>()
        const policy = new Watched(1, (pools, was, now) => {
          for (const { id, scheduler, state } of pools)
            if (scheduler.depth() === 0 || state === 'loaded') since.delete(id)
            else since.set(id, since.get(id) ?? now)
          pools.forEach((pool, i) => {
            const [other] = pools.filter((one) => one !== pool)
            if (was[i] !== 'loaded' || now - (since.get(other?.id ?? '') ?? now) >= 2 * hold_ms - 1e-6) return
            if (loaded !== pool.id) contested = undefined
            loaded = pool.id
            if ((other?.scheduler.depth() ?? 0) > 0) contested ??= now
            else contested = undefined
            if (pool.state === 'leaving' && pool.running.size + pool.scheduler.depth() > 0)
              assert.ok(now - (contested ?? now) >= hold_ms - 1e-6, `pool ${pool.id} left after ${now - (contested ?? now)}`)
          })
        })
        new GroupSimulation(load, policy).run()
      }),
      { numRuns: 100 },
    )
  })

  const member = (id: string, fields: Partial<Member> = {}): Member => ({
    ...{ id, state: 'asleep', since: 0, waiting: 0, interactive: 0, running: 0, drain_ms: 0, drain_late_ms: 0, work_ms: 0 },
    ...{ service_ms: 1000, load_ms: 5000, unload_ms: 1000, retry_at: 0, due_at: Infinity, late_at: Infinity, lost_at: Infinity },
    ...fields,
  })
  const rules = { loaded: 1, idle_unload_ms: 60_000, max_hold_ms: 30_000, preload: [], pin: [] }
  const busy = { state: 'loaded', running: 1, waiting: 3, interactive: 3 } as const

  it('leaves early for an interactive deadline that can still be met, and not for one that is lost', () => {
    for (const [late_at, lost_at, release] of [
      [100_000, 110_000, []],
      [6500, 9000, ['a']],
      [6500, 5999, []],
    ] as const) {
      const arbiter = new Arbiter(rules)
      arbiter.decide([member('a', busy), member('b')], 0)
      const waiting = { waiting: 1, interactive: 1, due_at: late_at, late_at, lost_at }
      assert.deepEqual(arbiter.decide([member('a', busy), member('b', waiting)], 1).release, release, `late at ${late_at}`)
    }
  })

  it('loads interactive work before batch work, and a pool whose load has failed only when it may be tried again', () => {
    const both = [member('a', { waiting: 5 }), member('b', { waiting: 1, interactive: 1 })]
    assert.deepEqual(new Arbiter(rules).decide(both, 0).load, ['b'])
    const failed = [member('a', { waiting: 5, retry_at: 500 }), member('b')]
    const { load, look_at } = new Arbiter(rules).decide(failed, 0)
    assert.deepEqual([load, look_at], [[], 500])
    assert.deepEqual(new Arbiter(rules).decide(failed, 500).load, ['a'])
  })

  it('keeps what is pinned, brings back what is preloaded, and unloads the rest when it has been idle', () => {
    const arbiter = new Arbiter({ ...rules, loaded: 2, pin: ['p'], preload: ['d'] })
    assert.deepEqual(arbiter.decide([member('p'), member('d'), member('x')], 0).load, ['p', 'd'])
    const up = { state: 'loaded' } as const
    const wants = [member('p', up), member('d', up), member('x', { waiting: 1, interactive: 1 })]
    assert.deepEqual(arbiter.decide(wants, 2000).release, ['d'])
    assert.deepEqual(arbiter.decide([member('p', up), member('d'), member('x', up)], 9000).release, [])
    const idle = arbiter.decide([member('p', up), member('d'), member('x', up)], 70_000)
    assert.deepEqual(idle.release, ['x'])
    assert.deepEqual(arbiter.decide([member('p', up), member('d'), member('x')], 71_000).load, ['d'])
  })

  it('takes a release back while what runs still ends, where nobody waits any more', () => {
    const arbiter = new Arbiter(rules)
    const leaving = member('a', { state: 'leaving', running: 1 })
    assert.deepEqual(arbiter.decide([leaving, member('b', { waiting: 1 })], 0).keep, [])
    assert.deepEqual(arbiter.decide([leaving, member('b')], 1).keep, ['a'])
  })
})
