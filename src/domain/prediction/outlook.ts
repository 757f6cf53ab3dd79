import type { Ahead } from '../queue/ahead.ts'
import type { Priority } from '../task.ts'
import { Ends } from './ends.ts'
import { forecastStart, onTimeChance, type Start } from './forecast.ts'
import type { Moments, OutputShares } from './output-shares.ts'
import { waiting, type Progress, type Running, type WorkShape } from './work.ts'

/** What a prediction rests on: tasks that have ended, tasks that run, the probe of a replica that came up, or nothing that was seen. */
export type PredictionBasis = 'history' | 'running' | 'probe' | 'assumed'

/** Milliseconds a token takes. */
export interface Rates {
  readonly prefill: number
  readonly decode: number
}

/** What was learned of a pool. */
export interface Learned {
  readonly basis: PredictionBasis
  readonly rates: Rates
  /** Tasks that have ended. */
  readonly seen: number
  /** Mean service time, ms; undefined while no task has ended. */
  readonly service_ms: number | undefined
  /** Relative variance of a service time, and of one with the length of the answer known. */
  readonly spread: number
  readonly noise: number
  /** Which lengths answers to such a task have, and what a share of 1 of them stands for, tokens. */
  readonly sharesOf: (shape: WorkShape) => { readonly shares: OutputShares; readonly asked: number }
  /** The task by whose service time paces are told: at a pace of 1 it takes a second. */
  readonly reference: WorkShape
  /** Undefined while few have ended. @see Estimator.pace */
  readonly pace: number | undefined
  /** Slots that tasks of a class keep busy as they arrive. */
  readonly loadOf: (priority: Priority) => number
}

/** Least relative variance of a mean of service times: no more tasks than these count in it. */
const least_of_mean = 0.01

/** What the reference takes at a pace of 1, ms. */
const reference_ms = 1000

/** What is expected of a pool at one moment: what was learned, corrected by what runs. */
export class Outlook {
  private readonly learned: Learned
  private readonly running: Running
  private endsOfRunning: Ends | undefined
  private mean_service_ms: number | undefined
  private known_pace: number | undefined

  /** @param running one for each busy slot */
  constructor(learned: Learned, running: Running) {
    this.learned = learned
    this.running = running
  }

  get basis(): PredictionBasis {
    return this.learned.basis
  }

  /** Expected service time of a task on one slot, ms. */
  serviceMs(shape: WorkShape): number {
    return this.left(shape, waiting).mean
  }

  /** How long a millisecond of work takes, ms. @see Estimator.work */
  get pace(): number {
    return (this.known_pace ??= this.learned.pace ?? Math.max(1e-9, this.serviceMs(this.learned.reference) / reference_ms))
  }

  /** What is left of a running task's service time, ms, given how far it is. */
  left(shape: WorkShape, progress: Progress): Moments {
    const { rates, noise, sharesOf } = this.learned
    const { shares, asked } = sharesOf(shape)
    const tokens = shares.left(asked, shape.max_tokens, progress.tokens)
    const mean = this.leftMs(shape, progress, tokens.mean)
    return { mean, variance: tokens.variance * rates.decode * rates.decode + noise * mean * mean }
  }

  /** When those end that run: the same for whoever waits. */
  private readonly ends = (): Ends =>
    (this.endsOfRunning ??= new Ends(this.running.works().map(({ shape, progress }) => this.left(shape, progress))))

  /** When a task of this class starts that has `ahead` ahead of it. */
  predictStart({ position, work_ms, may_pass }: Ahead, priority: Priority, slots: number): Start {
    const { spread, seen, loadOf } = this.learned
    const relative_variance = Math.min(4, spread)
    const mean_variance = relative_variance * Math.max(least_of_mean, 1 / (seen + 1))
    const load = loadOf(priority === 'interactive' ? 'batch' : 'interactive')
    const crew = {
      busy: this.running.size,
      ends: this.ends,
      slots,
      service_ms: (this.mean_service_ms ??= this.learned.service_ms ?? this.meanOfRunning()),
      relative_variance,
      mean_variance,
      load,
    }
    return forecastStart({ position, work_ms: work_ms * this.pace, may_pass }, crew)
  }

  /** Chance that a task that waits until `start` (at once where it runs) has ended `left_ms` from now. */
  onTimeProbability(start: Start, shape: WorkShape, progress: Progress, left_ms: number): number {
    const { noise, sharesOf } = this.learned
    const { shares, asked } = sharesOf(shape)
    return shares.expect(asked, shape.max_tokens, progress.tokens, (tokens) => {
      const service_ms = this.leftMs(shape, progress, tokens)
      return onTimeChance(start, { mean: service_ms, variance: noise * service_ms * service_ms }, left_ms)
    })
  }

  /** Until a task has ended, those that run are all there is to go by. */
  private meanOfRunning(): number {
    const { running } = this
    if (running.size === 0) return this.serviceMs(this.learned.reference)
    return running.works().reduce((sum, { shape }) => sum + this.serviceMs(shape), 0) / running.size
  }

  /** What is left with the length of the answer known. The first token comes with the end of the prefill. An engine that pauses still has its tokens to generate. */
  leftMs(shape: WorkShape, { tokens, since_ms }: Progress, tokens_left: number): number {
    const { prefill, decode } = this.learned.rates
    if (tokens > 0) return Math.max(0, tokens_left * decode - Math.min(decode, since_ms))
    return Math.max(0, shape.prompt_tokens * prefill - since_ms) + Math.max(0, tokens_left - 1) * decode
  }
}
