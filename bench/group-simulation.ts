import type { LoadState } from '../src/domain/groups/member.ts'
import { Estimator } from '../src/domain/prediction/estimator.ts'
import type { RunningWork } from '../src/domain/prediction/work.ts'
import { Scheduler, unplaced, type Schedulable } from '../src/domain/queue/scheduler.ts'
import type { GroupJob, GroupLoad } from './group-workload.ts'
import { progressOf } from './simulation.ts'
import { serviceOf } from './workload.ts'

/** What became of a job. Points in time are ms of simulated time. */
export interface GroupFate {
  readonly job: GroupJob
  /** When it was told that it would start, ms from its arrival, where its pool was not loaded then and its policy says so. */
  readonly told_ms?: number
  fate: 'waiting' | 'running' | 'served' | 'expired'
  started_at?: number
  ended_at?: number
}

interface Waiting extends Schedulable {
  readonly fate: GroupFate
}

/** A pool of the simulated group: the daemon's scheduler and estimator, and what stands for its engine. */
export class SimulatedPool {
  readonly id: string
  readonly slots: number
  readonly scheduler = new Scheduler<Waiting>({ capacity: 1e7, full_policy: 'reject', batch_every: 8 })
  readonly estimator = new Estimator()
  readonly running = new Set<GroupFate>()
  state: LoadState = 'asleep'
  since = 0
  used_at = 0
  /** Tasks that may start while it is loaded; all of them unless a rule says otherwise. */
  admitted = Infinity

  constructor(index: number, slots: number) {
    this.id = String(index)
    this.slots = slots
  }

  /** What runs, as an estimator sees it. */
  work(now: number): RunningWork[] {
    return [...this.running].map(({ job, started_at = now }) => ({ shape: job.shape, progress: progressOf(job, now - started_at) }))
  }
}

/** Who decides which pools are loaded. */
export interface GroupPolicy {
  /** Called after every event; changes the pools' states by the simulation's methods. Returns when it wants to be called again. */
  decide(world: GroupSimulation, now: number): number
  /** When a task that comes now is expected to start in a pool that is not loaded, ms from now. */
  foresee?(world: GroupSimulation, job: GroupJob, pool: SimulatedPool): number
  /** A task has come. */
  arrived?(fate: GroupFate, pool: SimulatedPool): void
}

/** A group on a simulated clock. */
export class GroupSimulation {
  readonly fates: GroupFate[] = []
  readonly pools: readonly SimulatedPool[]
  readonly load: GroupLoad
  /** Times that a model was put in another's place or on an empty one. */
  loads = 0
  private readonly policy: GroupPolicy
  private readonly coming: GroupJob[]
  private now = 0

  constructor(load: GroupLoad, policy: GroupPolicy) {
    this.load = load
    this.policy = policy
    this.coming = [...load.jobs]
    this.pools = Array.from({ length: load.pools }, (_, i) => new SimulatedPool(i, load.slots))
  }

  /** Lets all jobs come and end. */
  run(): readonly GroupFate[] {
    let look_at = Infinity
    let left = true
    while (left) {
      this.now = Math.max(this.now, Math.min(this.coming[0]?.at ?? Infinity, this.soonest(), look_at))
      for (let job = this.coming[0]; job !== undefined && job.at <= this.now; job = this.coming[0]) {
        this.coming.shift()
        this.arrive(job)
      }
      this.pass()
      look_at = this.settle()
      left = this.coming.length > 0 || this.pools.some(({ running, scheduler }) => running.size + scheduler.depth() > 0)
    }
    return this.fates
  }

  /** Begins to load a pool that is asleep. */
  bring(pool: SimulatedPool): void {
    this.loads++
    this.become(pool, 'loading')
  }

  /** A loaded pool takes nothing from now on and goes when what runs has ended. */
  release(pool: SimulatedPool): void {
    this.become(pool, 'leaving')
  }

  /** A leaving pool stays. */
  keep(pool: SimulatedPool): void {
    this.become(pool, 'loaded')
  }

  private become(pool: SimulatedPool, state: LoadState): void {
    pool.state = state
    pool.since = this.now
  }

  private soonest(): number {
    const { load_ms, unload_ms } = this.load
    const times = this.pools.flatMap(({ state, since, running, scheduler }) => [
      ...due(scheduler.soonest('interactive')),
      ...due(scheduler.soonest('batch')),
      ...(state === 'loading' ? [since + load_ms] : state === 'unloading' ? [since + unload_ms] : []),
      ...[...running].map(({ ended_at = Infinity }) => ended_at),
    ])
    return Math.min(Infinity, ...times)
  }

  private arrive(job: GroupJob): void {
    const pool = this.pools[job.pool]
    if (pool === undefined) throw new Error(`there is no pool ${job.pool}`)
    const told_ms = pool.state === 'loaded' ? undefined : this.policy.foresee?.(this, job, pool)
    const fate: GroupFate = { job, ...(told_ms === undefined ? {} : { told_ms }), fate: 'waiting' }
    this.fates.push(fate)
    const { priority, deadline_ms, at } = job
    const work_ms = pool.estimator.work(job.shape)
    const task = { ...unplaced, id: job.id, owner: 'somebody', priority, deadline_at: at + deadline_ms, work_ms, fate }
    pool.scheduler.admit(task)
    pool.scheduler.confirm(task)
    pool.estimator.arrived(priority, work_ms, at)
    this.policy.arrived?.(fate, pool)
  }

  private pass(): void {
    for (const pool of this.pools) {
      for (const fate of [...pool.running]) if ((fate.ended_at ?? Infinity) <= this.now) this.end(fate, pool)
      if (pool.state === 'loading' && pool.since + this.load.load_ms <= this.now) this.become(pool, 'loaded')
      if (pool.state === 'unloading' && pool.since + this.load.unload_ms <= this.now) this.become(pool, 'asleep')
      for (const task of pool.scheduler.expired(this.now)) {
        pool.scheduler.remove(task)
        this.over(task.fate, 'expired')
      }
    }
  }

  private end(fate: GroupFate, pool: SimulatedPool): void {
    const { shape, tokens_out, prefill_ms, decode_ms } = fate.job
    this.over(fate, 'served')
    pool.running.delete(fate)
    pool.used_at = this.now
    pool.estimator.observe({ ...shape, tokens_out, prefill_ms, decode_ms })
  }

  private over(fate: GroupFate, how: 'served' | 'expired'): void {
    fate.fate = how
    const job = fate.job.next?.()
    if (job === undefined) return
    const at = this.now + job.at
    const later = this.coming.findIndex((one) => one.at > at)
    this.coming.splice(later < 0 ? this.coming.length : later, 0, { ...job, at })
  }

  private settle(): number {
    for (const pool of this.pools) this.dispatch(pool)
    const look_at = this.policy.decide(this, this.now)
    let changed = false
    for (const pool of this.pools) {
      if (pool.state === 'leaving' && pool.running.size === 0) {
        this.become(pool, 'unloading')
        changed = true
      }
      changed = this.dispatch(pool) || changed
    }
    return changed ? this.now : look_at
  }

  private dispatch(pool: SimulatedPool): boolean {
    let taken = false
    while (pool.state === 'loaded' && pool.running.size < pool.slots && pool.admitted > 0) {
      const fate = pool.scheduler.next()?.fate
      if (fate === undefined) return taken
      fate.fate = 'running'
      fate.started_at = this.now
      fate.ended_at = this.now + serviceOf(fate.job)
      pool.running.add(fate)
      pool.admitted--
      pool.used_at = this.now
      taken = true
    }
    return taken
  }
}

const due = (task: Waiting | undefined): number[] => (task === undefined ? [] : [task.deadline_at])
