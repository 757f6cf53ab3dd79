import { Estimator, waiting, type Progress, type WorkShape } from '../src/domain/estimator.ts'
import { predictStart, type Start } from '../src/domain/forecast.ts'
import { Scheduler, type Schedulable } from '../src/domain/scheduler.ts'
import type { Priority } from '../src/domain/task.ts'

/** A task of the simulation, with what only the simulation knows. */
export interface Job {
  readonly at: number
  readonly priority: Priority
  readonly deadline_ms: number
  readonly shape: WorkShape
  readonly tokens_out: number
  readonly prefill_ms: number
  readonly decode_ms: number
  readonly burst: boolean
}

/** What became of a job. Times in ms of simulated time. */
export interface Fate {
  readonly job: Job
  readonly predicted_ms: number; start?: Start; position?: number
  readonly chance: number
  fate: 'refused' | 'expired' | 'served' | 'full'
  started_at?: number
  ended_at?: number
}

/** How admission decides: `ours` as the daemon does, `fifo` takes all in one queue, `oracle` as ours but it knows every length. */
export type Policy = 'ours' | 'fifo' | 'oracle'

interface Waiting extends Schedulable {
  readonly fate: Fate
}

/** One pool of equal slots on a simulated clock: the daemon's scheduler, estimator and forecast, and nothing else of it. */
export class Simulation {
  readonly fates: Fate[] = []
  private readonly slots: number
  private readonly policy: Policy
  private readonly least_chance: number
  private readonly estimator = new Estimator()
  private readonly scheduler: Scheduler<Waiting>
  private readonly running = new Set<Fate>()

  constructor(slots: number, capacity: number, policy: Policy, least_chance: number) {
    this.slots = slots
    this.policy = policy
    this.least_chance = least_chance
    this.scheduler = new Scheduler({ capacity, full_policy: 'reject', batch_every: 8 })
  }

  /** Lets the jobs, in order of arrival, come and all of them end. */
  run(jobs: readonly Job[]): readonly Fate[] {
    for (const job of jobs) {
      this.passUntil(job.at)
      this.arrive(job)
    }
    this.passUntil(Infinity)
    return this.fates
  }

  private passUntil(until: number): void {
    for (;;) {
      let next: Fate | undefined
      for (const one of this.running) if ((one.ended_at ?? 0) < (next?.ended_at ?? Infinity)) next = one
      if (next?.ended_at === undefined || next.ended_at > until) return
      const { ended_at, job } = next
      this.running.delete(next)
      this.estimator.observe({ ...job.shape, tokens_out: job.tokens_out, prefill_ms: job.prefill_ms, decode_ms: job.decode_ms })
      this.dispatch(ended_at)
    }
  }

  private arrive(job: Job): void {
    const priority = this.policy === 'fifo' ? 'interactive' : job.priority
    const ahead = this.scheduler.aheadOfNewcomer({ owner: 'o', priority })
    const start = predictStart(this.estimator, ahead, priority, this.work(job.at), this.slots, job.at)
    const chance = this.estimator.onTimeProbability(start, job.shape, waiting, job.deadline_ms)
    const fate: Fate = { start, position: ahead.position, job, predicted_ms: start.ms, chance, fate: 'served' }
    this.fates.push(fate)
    if (!this.scheduler.hasPlaceFor({ owner: 'o', priority })) fate.fate = 'full'
    else if (!this.takes(fate, start)) fate.fate = 'refused'
    if (fate.fate !== 'served') return
    const work_ms = this.estimator.serviceMs(job.shape)
    const id = String(this.fates.length)
    this.scheduler.admit({ id, owner: 'o', priority, deadline_at: this.policy === 'fifo' ? Infinity : job.at + job.deadline_ms, work_ms, fate })
    this.scheduler.confirm(id)
    this.estimator.arrived(priority, work_ms, job.at)
    this.dispatch(job.at)
  }

  private takes({ job, chance }: Fate, start: Start): boolean {
    if (this.policy === 'fifo') return true
    if (this.policy === 'oracle') return this.exactStart(job) + serviceOf(job) <= job.deadline_ms
    return start.ms < 1e12 && (!this.estimator.isTrusted || chance >= this.least_chance)
  }

  /** When the job would start if nobody else came: every length known, event by event. */
  private exactStart(job: Job): number {
    const free = [...this.running].map(({ ended_at = 0 }) => ended_at - job.at)
    while (free.length < this.slots) free.push(0)
    const order = [...this.scheduler.tasks()]
    const { position } = this.scheduler.aheadOfNewcomer({ owner: 'o', priority: job.priority })
    const mine = order.filter(({ priority }) => priority === job.priority)
    const others = order.filter(({ priority }) => priority !== job.priority).slice(0, position - mine.length)
    for (const { fate } of [...others, ...mine]) {
      const soonest = free.indexOf(Math.min(...free))
      free[soonest] = (free[soonest] ?? 0) + serviceOf(fate.job)
    }
    return Math.min(...free)
  }

  private dispatch(now: number): void {
    for (const { id, fate } of this.scheduler.expired(now)) {
      this.scheduler.remove(id)
      fate.fate = 'expired'
    }
    while (this.running.size < this.slots) {
      const task = this.scheduler.next()
      if (task === undefined) return
      const { fate } = task
      fate.started_at = now
      fate.ended_at = now + serviceOf(fate.job)
      this.running.add(fate)
    }
  }

  private *work(now: number): Iterable<{ shape: WorkShape; progress: Progress }> {
    for (const { job, started_at = now } of this.running) yield { shape: job.shape, progress: progressOf(job, now - started_at) }
  }
}

const serviceOf = (job: Job): number => job.prefill_ms + job.decode_ms

/** How far a job is after so long on its slot. */
function progressOf(job: Job, elapsed: number): Progress {
  if (elapsed < job.prefill_ms || job.tokens_out === 0) return { tokens: 0, since_ms: elapsed }
  const token_ms = job.decode_ms / Math.max(1, job.tokens_out - 1)
  const decoded = Math.min(job.tokens_out - 1, Math.floor((elapsed - job.prefill_ms) / token_ms))
  return { tokens: 1 + decoded, since_ms: elapsed - job.prefill_ms - decoded * token_ms }
}
