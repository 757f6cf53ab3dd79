import { Estimator } from '../src/domain/prediction/estimator.ts'
import { runningOf, waiting, type Progress, type RunningWork, type WorkDone } from '../src/domain/prediction/work.ts'
import { Scheduler, unplaced, type Schedulable } from '../src/domain/queue/scheduler.ts'
import { serviceOf, type Job, type Lengths } from './workload.ts'

/** What became of a job. Points in time are ms of simulated time. */
export interface Fate {
  readonly job: Job
  /** Promised when it came, ms from then. */
  readonly predicted_ms: number
  readonly on_time_probability: number
  fate: 'served' | 'refused' | 'expired' | 'full'
  started_at?: number
  ended_at?: number
}

/** How tasks are admitted and queued: as the daemon does, by an oracle in its place that knows every length, or all in one queue without deadlines. */
export type Policy = 'daemon' | 'oracle' | 'fifo'

interface Waiting extends Schedulable {
  readonly fate: Fate
}

/** One pool of equal slots on a simulated clock: the daemon's scheduler, estimator and forecast, and nothing else of it. */
export class Simulation {
  readonly fates: Fate[] = []
  private readonly slots: number
  private readonly policy: Policy
  private readonly estimator: Estimator
  private readonly scheduler: Scheduler<Waiting>
  private readonly running = new Set<Fate>()

  /** @param estimator what is known of the pool; nothing if left out */
  constructor(slots: number, capacity: number, policy: Policy, estimator = new Estimator()) {
    this.estimator = estimator
    this.slots = slots
    this.policy = policy
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
      this.estimator.observe(workOf(job))
      this.dispatch(ended_at)
    }
  }

  private arrive(job: Job): void {
    this.expire(job.at)
    const priority = this.policy === 'fifo' ? 'interactive' : job.priority
    const newcomer = { owner: 'somebody', priority }
    const ahead = this.scheduler.aheadOfNewcomer(newcomer)
    const outlook = this.estimator.outlook(runningOf([...this.work(job.at)]), job.at)
    const start = outlook.predictStart(ahead, priority, this.slots)
    const on_time_probability = outlook.onTimeProbability(start, job.shape, waiting, job.deadline_ms)
    const fate: Fate = { job, predicted_ms: start.ms, on_time_probability, fate: 'served' }
    this.fates.push(fate)
    if (!this.scheduler.hasPlaceFor(newcomer)) fate.fate = 'full'
    else if (!this.admits(fate, ahead.position)) fate.fate = 'refused'
    if (fate.fate !== 'served') return
    const deadline_at = this.policy === 'fifo' ? Infinity : job.at + job.deadline_ms
    const work_ms = this.estimator.work(job.shape)
    const task = { ...newcomer, ...unplaced, id: String(this.fates.length), deadline_at, work_ms, fate }
    this.scheduler.admit(task)
    this.scheduler.confirm(task)
    this.estimator.arrived(priority, work_ms, job.at)
    this.dispatch(job.at)
  }

  private admits({ job, on_time_probability }: Fate, position: number): boolean {
    if (this.policy === 'fifo') return true
    if (this.policy === 'oracle') return this.exactStart(job, position) + serviceOf(job) <= job.deadline_ms
    return this.estimator.admits(on_time_probability)
  }

  /** When the job would start if nobody else came: every length known, event by event. */
  private exactStart(job: Job, position: number): number {
    const free = [...this.running].map(({ ended_at = 0 }) => ended_at - job.at)
    while (free.length < this.slots) free.push(0)
    const order = [...this.scheduler.tasks()]
    const mine = order.filter(({ priority }) => priority === job.priority)
    const others = order.filter(({ priority }) => priority !== job.priority).slice(0, position - mine.length)
    for (const { fate } of [...others, ...mine]) {
      const soonest = free.indexOf(Math.min(...free))
      free[soonest] = (free[soonest] ?? 0) + serviceOf(fate.job)
    }
    return Math.min(...free)
  }

  private dispatch(now: number): void {
    this.expire(now)
    while (this.running.size < this.slots) {
      const task = this.scheduler.next()
      if (task === undefined) return
      const { fate } = task
      fate.started_at = now
      fate.ended_at = now + serviceOf(fate.job)
      this.running.add(fate)
    }
  }

  private expire(now: number): void {
    for (const task of this.scheduler.expired(now)) {
      this.scheduler.remove(task)
      task.fate.fate = 'expired'
    }
  }

  private *work(now: number): Iterable<RunningWork> {
    for (const { job, started_at = now } of this.running) yield { shape: job.shape, progress: progressOf(job, now - started_at) }
  }
}

/** What a job was when it is over. */
export const workOf = ({ shape, tokens_out, prefill_ms, decode_ms }: Lengths): WorkDone => ({ ...shape, tokens_out, prefill_ms, decode_ms })

/** How far a job is after so long on its slot. */
export function progressOf(job: Lengths, elapsed: number): Progress {
  if (elapsed < job.prefill_ms || job.tokens_out === 0) return { tokens: 0, since_ms: elapsed }
  const token_ms = job.decode_ms / Math.max(1, job.tokens_out - 1)
  const decoded = Math.min(job.tokens_out - 1, Math.floor((elapsed - job.prefill_ms) / token_ms))
  const decode_ms = decoded * token_ms
  return { tokens: 1 + decoded, since_ms: elapsed - job.prefill_ms - decode_ms, took: { prefill_ms: job.prefill_ms, decode_ms } }
}
