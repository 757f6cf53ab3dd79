import { Arbiter, type GroupRules } from '../src/domain/groups/arbiter.ts'
import { forecastLoad } from '../src/domain/groups/forecast.ts'
import { PoolMember } from '../src/domain/groups/member.ts'
import { after } from '../src/domain/prediction/forecast.ts'
import { runningOf } from '../src/domain/prediction/work.ts'
import type { Schedulable } from '../src/domain/queue/scheduler.ts'
import type { GroupFate, GroupPolicy, GroupSimulation, SimulatedPool } from './group-simulation.ts'
import type { GroupJob } from './group-workload.ts'

/** The daemon's arbiter, told the true times of loading. */
export class ByArbiter implements GroupPolicy {
  private readonly arbiter: Arbiter

  constructor(rules: Partial<GroupRules> & Pick<GroupRules, 'loaded'>) {
    this.arbiter = new Arbiter({ idle_unload_ms: 900_000, max_hold_ms: 60_000, preload: [], pin: [], ...rules })
  }

  decide(world: GroupSimulation, now: number): number {
    const decision = this.arbiter.decide(this.members(world, now), now)
    const named = (ids: readonly string[]): SimulatedPool[] => world.pools.filter(({ id }) => ids.includes(id))
    for (const pool of named(decision.keep)) world.keep(pool)
    for (const pool of named(decision.release)) world.release(pool)
    for (const pool of named(decision.load)) world.bring(pool)
    return decision.look_at
  }

  foresee(world: GroupSimulation, { priority, at, deadline_ms }: GroupJob, pool: SimulatedPool): number {
    const outlook = pool.estimator.outlook(runningOf(pool.work(at)), at)
    const start = outlook.predictStart(pool.scheduler.aheadOfNewcomer({ owner: 'somebody', priority }), priority, pool.slots)
    const waiter = { interactive: priority === 'interactive', deadline_at: at + deadline_ms }
    return after(start, forecastLoad(this.arbiter, this.members(world, at), pool.id, waiter, at)).ms
  }

  private members({ pools, load: { load_ms, unload_ms } }: GroupSimulation, now: number): PoolMember<Schedulable>[] {
    const swap = { load_ms, unload_ms }
    return pools.map((pool) => {
      const { id, state, since, scheduler, estimator, slots } = pool
      return new PoolMember({
        id,
        state,
        since,
        scheduler,
        estimator,
        now,
        slots,
        swap,
        retry_at: 0,
        busy: pool.running.size,
        work: () => pool.work(now),
      })
    })
  }
}

/**
 * The rules of others: a task for a model that is not loaded has it loaded. `first-come` (llama-swap): every task waits for the ones before it, and
 * the model that was loaded first goes. `least-recently-used` (LocalAI): tasks of loaded models go at once, and the model goes that was used least
 * recently, as soon as nothing runs on it.
 */
export class Greedy implements GroupPolicy {
  private line: { readonly fate: GroupFate; readonly pool: SimulatedPool }[] = []
  private readonly rule: 'first-come' | 'least-recently-used'

  constructor(rule: 'first-come' | 'least-recently-used') {
    this.rule = rule
  }

  arrived(fate: GroupFate, pool: SimulatedPool): void {
    this.line.push({ fate, pool })
    if (this.rule === 'first-come') pool.admitted = Number.isFinite(pool.admitted) ? pool.admitted : 0
  }

  decide(world: GroupSimulation): number {
    this.line = this.line.filter(({ fate }) => fate.fate === 'waiting')
    const { pools, load } = world
    const occupied = pools.filter(({ state }) => state !== 'asleep')
    if (this.rule === 'first-come') for (const pool of pools) pool.admitted = 0
    for (const { pool } of this.line) {
      if (pool.state === 'loaded') {
        pool.admitted++
        continue
      }
      if (pool.state === 'asleep' && occupied.length < load.loaded) world.bring(pool)
      else if (pool.state === 'asleep' && occupied.every(({ state }) => state === 'loaded')) this.evict(world, occupied)
      if (this.rule === 'first-come' || pool.state !== 'asleep') break
      return Infinity
    }
    return Infinity
  }

  private evict(world: GroupSimulation, occupied: readonly SimulatedPool[]): void {
    const byUse = this.rule === 'first-come' ? 'since' : 'used_at'
    const [victim] = occupied
      .filter((pool) => (this.rule === 'first-come' ? pool.admitted === 0 : pool.running.size === 0 && pool.scheduler.depth() === 0))
      .sort((a, b) => a[byUse] - b[byUse])
    if (victim !== undefined) world.release(victim)
  }
}
