import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DomainError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { pause } from '../../../src/ports/clock.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { ann, boss, poolConfig, startRig, teach, type Rig } from '../../harness/rig.ts'

const pool = fc.record({ slots: fc.integer({ min: 1, max: 3 }), capacity: fc.integer({ min: 1, max: 5 }), up: fc.boolean() })
const task = fc.record({
  how: fc.constantFrom('prefer', 'pin', 'avoid' as const),
  priority: fc.constantFrom('interactive', 'batch' as const),
  deadline_ms: fc.constantFrom(150, 400, 1000, 600_000),
  max_tokens: fc.integer({ min: 1, max: 60 }),
})
const world = fc.record({ others: fc.array(pool, { minLength: 1, maxLength: 3 }), tasks: fc.array(task, { minLength: 1, maxLength: 16 }) })
type World = Parameters<Parameters<typeof world.map>[0]>[0]

/** Tasks that would rather be in `a` than in the others, one after the other. */
async function rigOf({ others, tasks }: World): Promise<Rig> {
  const ids = others.map((_, i) => `o${i}`)
  const rig = await startRig({
    pools: [
      poolConfig({ id: 'a', queue: { capacity: 64 } }),
      ...others.map(({ slots, capacity }, i) => poolConfig({ id: ids[i], replicas: [{ id: 'r0', slots }], queue: { capacity } })),
    ],
  })
  for (const { id } of rig.pools.all()) teach(rig.pool(id))
  others.forEach(({ up }, i) => (rig.pool(ids[i]).draining = !up))
  for (const [n, { how, ...fields }] of tasks.entries()) {
    const placement = {
      prefer: { mode: 'prefer' as const, prefer_pools: ['a'], allow_fallback: true },
      pin: { mode: 'pin' as const, pin_pool_id: 'a' },
      avoid: { mode: 'prefer' as const, prefer_pools: ['a'], avoid_pools: ids.slice(0, 1), allow_fallback: true },
    }[how]
    try {
      await rig.run({ task_id: `t${n}`, placement, ...fields })
    } catch (error) {
      // Some cannot be in time, or find every place taken.
      if (!(error instanceof DomainError)) throw error
    }
  }
  return rig
}

const depths = (rig: Rig): Map<string, number> =>
  new Map(rig.pools.all().map(({ id, running, scheduler }) => [id, running.size + scheduler.depth()]))

describe('the dry run of a drain, beside the drain', () => {
  it('has the figures of what then happens', async function () {
    this.timeout(0)
    await fc.assert(
      fc.asyncProperty(world, async (drawn) => {
        const rig = await rigOf(drawn)
        const before = depths(rig)
        const { running, waiting, movable, moves_to, late } = rig.drain.foresee('a', 1e9)
        assert.deepEqual(depths(rig), before)
        assert.deepEqual([running, running + waiting], [rig.pool('a').running.size, before.get('a')])
        rig.drain.drain('a', 1e9)
        await settled()
        const after = depths(rig)
        assert.equal((before.get('a') ?? 0) - (after.get('a') ?? 0), movable)
        const gains = [...after].flatMap(([id, now]) => (now > (before.get(id) ?? 0) ? [[id, now - (before.get(id) ?? 0)] as const] : []))
        assert.deepEqual(new Map(moves_to.map(({ pool_id, tasks }) => [pool_id, tasks])), new Map(gains))
        const listed = rig.tasks.queue(boss, 'a', { limit: 200 }).entries
        assert.equal(late, listed.filter(({ on_time_probability = 1 }) => on_time_probability < 0.5).length)
        assert.equal((await rig.tasks.list(ann, { pool_id: 'a' })).tasks.length, listed.length)
      }),
      { numRuns: repeats({ quick: 60, long: 1000 }) },
    )
  })
})

const members = ['a', 'b', 'c']
const group = fc.record({
  loaded: fc.integer({ min: 1, max: 2 }),
  steps: fc.array(
    fc.oneof(
      fc.record({ pool: fc.constantFrom(...members), deadline_ms: fc.constantFrom(8000, 20_000, 70_000, 600_000) }),
      fc.record({ wait_ms: fc.integer({ min: 1, max: 8000 }) }),
      fc.record({ finish: fc.constantFrom(...members) }),
    ),
    { maxLength: 14 },
  ),
  target: fc.constantFrom(...members),
  does: fc.constantFrom('load', 'unload' as const),
})

describe('the dry run of a load and of an unload, beside the real thing', () => {
  it('has the figures of what then happens', async function () {
    this.timeout(0)
    await fc.assert(
      fc.asyncProperty(group, async ({ loaded, steps, target, does }) => {
        const clock = new FakeClock()
        const never = new AbortController().signal
        const rig = await startRig({
          pools: members.map((id) => poolConfig({ id, model: `mock:${id}` })),
          groups: [{ id: 'gpu', pools: members, loaded, max_hold_ms: 60_000, idle_unload_ms: 600_000 }],
          clock,
          prepare: (engine) => (engine.onStart = () => pause(clock, 5000, never)),
        })
        for (const id of members) teach(rig.pool(id))
        for (const step of steps) {
          if ('wait_ms' in step) await clock.advance(step.wait_ms)
          else if ('finish' in step) rig.engine(`${step.finish}/r0`).running.forEach((call) => call.finish())
          else await rig.run({ model_ref: `mock:${step.pool}`, deadline_ms: step.deadline_ms }).catch(() => undefined)
          await settled()
        }
        const states = (): string =>
          rig.pools
            .all()
            .map(({ id, seat }) => `${id}:${seat?.state}`)
            .join(' ')
        const was = states()
        const leaving = rig.pools.all().flatMap(({ id, seat }) => (seat?.state === 'leaving' || seat?.state === 'unloading' ? [id] : []))
        const { pools, running, waiting, late } = does === 'load' ? rig.loads.foreseeLoad(target) : rig.loads.foreseeUnload(target)
        await settled()
        assert.equal(states(), was, 'a look changes nothing')
        const [hit] = pools.map((id) => rig.pool(id))
        assert.deepEqual([hit?.running.size ?? 0, hit?.scheduler.depth() ?? 0], [running, waiting])
        const wasLoading = hit?.seat?.state === 'loading'
        rig.loads[does](target)
        await settled()
        // One that is being loaded leaves when it is up.
        if (hit !== undefined && !wasLoading) assert.match(hit.seat?.state ?? '', /^(leaving|unloading|asleep|loading)$/)
        if (hit === undefined)
          assert.deepEqual(
            rig.pools.all().flatMap(({ id, seat }) => (seat?.state === 'leaving' && !leaving.includes(id) ? [id] : [])),
            [],
          )
        else if (hit.seat?.state === 'leaving') {
          const listed = rig.tasks.queue(boss, hit.id, { limit: 200 }).entries
          assert.equal(late, listed.filter(({ on_time_probability = 1 }) => on_time_probability < 0.5).length)
        }
      }),
      { numRuns: repeats({ quick: 60, long: 1000 }) },
    )
  })
})
