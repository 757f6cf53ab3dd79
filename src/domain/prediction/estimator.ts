import { forecastStart, onTimeChance, type Start } from './forecast.ts'
import { OutputShares, type Moments } from './output-shares.ts'
import type { Ahead } from '../queue/scheduler.ts'
import type { Priority, TaskRequest } from '../task.ts'

/** What is known of a task before it runs. */
export interface WorkShape {
  readonly prompt_tokens: number
  /** 0 where the task generates nothing (embedding, rerank). */
  readonly max_tokens: number
  readonly expected_tokens?: number | undefined
  /** Nobody said how long the answer may be: `max_tokens` is what the context has left, and says nothing of its length. */
  readonly open?: boolean | undefined
}

/** @param prompt_tokens as admission counted them */
export const shapeOf = (
  { workload, max_tokens, expected_tokens, open }: Pick<TaskRequest, 'workload'> & Omit<WorkShape, 'prompt_tokens'>,
  prompt_tokens: number,
): WorkShape => ({ prompt_tokens, max_tokens: workload === 'completion' ? max_tokens : 0, expected_tokens, open })

/** How far a running task is. */
export interface Progress {
  /** Tokens it has generated. */
  readonly tokens: number
  /** Since the newest token, or since dispatch where there is none, ms. */
  readonly since_ms: number
}

/** Work on a slot, as far as it is known. */
export interface RunningWork {
  readonly shape: WorkShape
  readonly progress: Progress
}

/** What a finished task took. Durations in ms. */
export interface WorkDone extends WorkShape {
  readonly tokens_out: number
  /** From dispatch to the first token. */
  readonly prefill_ms: number
  /** From the first to the last token. */
  readonly decode_ms: number
}

/** Weight of the newest observation once an average has warmed up: rates follow the engine, what scatters needs more tasks. */
const smoothing = { rate: 0.1, arrivals: 0.02, spread: 0.02 }

/** Before this many tasks were seen, nothing is known well enough to refuse a task for it. */
const trusted = 5

/** What lengths of open answers are told in, tokens: the histogram of shares spans 1 to 16,384 of them. */
const open_tokens = 1024

/** A chance below this is really small. In the simulated day of `bench/prediction.ts` a bolder rule meets no more deadlines, nor does a meeker one. */
const least_chance = 0.1

/** A sum that is no basis to divide by: what it sums up took no time that a clock could tell. */
const negligible = 1e-12

/** The ratio of two exponentially weighted sums, which large observations weigh more in than small ones. */
class Ratio {
  private seen = 0
  over = 0
  under = 0
  private readonly smoothing: number
  private readonly prior: number

  constructor(smoothing: number, prior: number) {
    this.smoothing = smoothing
    this.prior = prior
  }

  get value(): number {
    return this.under > negligible ? this.over / this.under : this.prior
  }

  observe(over: number, under: number): void {
    const weight = Math.max(this.smoothing, 1 / ++this.seen)
    this.over += weight * (over - this.over)
    this.under += weight * (under - this.under)
  }
}

/**
 * Learns how long tasks of one pool take: exponentially weighted prefill and decode rates, the distribution of the share of max_tokens (or
 * expected_tokens) that is used, the lengths of answers that nobody limits, how far predictions are off, and how much work comes in. The priors are a small model on a slow machine.
 */
export class Estimator {
  private seen = 0
  private readonly prefill_ms_per_token = new Ratio(smoothing.rate, 1)
  private readonly decode_ms_per_token = new Ratio(smoothing.rate, 20)
  private readonly ofMax = new OutputShares([0.1, 0.5, 0.9])
  private readonly ofExpected = new OutputShares([0.5, 1, 1.5])
  private readonly ofOpen = new OutputShares([0.1, 0.5, 0.9])
  /** Squared relative error of the predicted service time, and of the one with the length of the answer known. */
  private readonly spread = new Ratio(smoothing.spread, 0.5)
  private readonly noise = new Ratio(smoothing.spread, 0.25)
  private readonly service = new Ratio(smoothing.spread, 1000)
  private readonly arrivals: Record<Priority, Ratio> = {
    interactive: new Ratio(smoothing.arrivals, 0),
    batch: new Ratio(smoothing.arrivals, 0),
  }
  private readonly arrived_at: { [P in Priority]?: number } = {}

  /** Expected service time of a task of which nothing is known, ms. */
  get meanServiceMs(): number {
    return this.service.value
  }

  /** Expected service time of a task on one slot, ms. */
  serviceMs(shape: WorkShape): number {
    return this.left(shape, waiting).mean
  }

  /** What is left of a running task's service time, ms, given how far it is. */
  left(shape: WorkShape, progress: Progress): Moments {
    const { shares, asked } = this.basis(shape)
    const tokens = shares.left(asked, shape.max_tokens, progress.tokens)
    const rate = this.decode_ms_per_token.value
    const mean = this.leftMs(shape, progress, tokens.mean)
    return { mean, variance: tokens.variance * rate * rate + this.noise.value * mean * mean }
  }

  /**
   * When a task of this class starts that has `ahead` ahead of it.
   * @param running one for each busy slot
   * @param now ms since the epoch
   */
  predictStart(ahead: Ahead, priority: Priority, running: Iterable<RunningWork>, slots: number, now: number): Start {
    const busy: Moments[] = []
    for (const { shape, progress } of running) busy.push(this.left(shape, progress))
    const relative_variance = Math.min(4, this.spread.value)
    const mean_variance = relative_variance * Math.max(smoothing.spread / 2, 1 / (this.seen + 1))
    const load = this.load(priority === 'interactive' ? 'batch' : 'interactive', now)
    return forecastStart(ahead, { busy, slots, service_ms: this.service.value, relative_variance, mean_variance, load })
  }

  /** Chance that a task that waits until `start` (at once where it runs) has ended `left_ms` from now. */
  onTimeProbability(start: Start, shape: WorkShape, progress: Progress, left_ms: number): number {
    const { shares, asked } = this.basis(shape)
    return shares.expect(asked, shape.max_tokens, progress.tokens, (tokens) => {
      const service_ms = this.leftMs(shape, progress, tokens)
      return onTimeChance(start, { mean: service_ms, variance: this.noise.value * service_ms * service_ms }, left_ms)
    })
  }

  /** Whether a task with this chance to be on time is admitted: what has seen next to nothing refuses nobody. */
  admits(chance: number): boolean {
    return this.seen < trusted || chance >= least_chance
  }

  /** Learns from a task that has ended by itself. */
  observe(done: WorkDone): void {
    const service_ms = done.prefill_ms + done.decode_ms
    if (this.seen++ > 0) {
      const predicted = this.serviceMs(done)
      this.spread.observe((service_ms - predicted) ** 2, predicted * predicted)
      const informed = this.leftMs(done, waiting, done.tokens_out)
      this.noise.observe((service_ms - informed) ** 2, informed * informed)
    }
    this.service.observe(service_ms, 1)
    this.prefill_ms_per_token.observe(done.prefill_ms, Math.max(1, done.prompt_tokens))
    if (done.tokens_out > 1) this.decode_ms_per_token.observe(done.decode_ms, done.tokens_out - 1)
    const { shares, asked } = this.basis(done)
    if (done.max_tokens > 0) shares.observe(done.tokens_out / asked)
  }

  /** A task was accepted: `work_ms` of service comes in at `now`, ms since the epoch. */
  arrived(priority: Priority, work_ms: number, now: number): void {
    const last = this.arrived_at[priority]
    this.arrived_at[priority] = now
    if (last !== undefined) this.arrivals[priority].observe(work_ms, Math.max(0, now - last))
  }

  /** Slots that the tasks of a class that arrive would keep busy; falls off when none comes for long. */
  private load(priority: Priority, now: number): number {
    const { over, under } = this.arrivals[priority]
    const silence = now - (this.arrived_at[priority] ?? now)
    // A silence that is longer than the mean gap counts as one more gap.
    const gap = under + smoothing.arrivals * Math.max(0, silence - under)
    return gap > 0 ? over / gap : 0
  }

  private basis(shape: WorkShape): { readonly shares: OutputShares; readonly asked: number } {
    if (shape.expected_tokens !== undefined) return { shares: this.ofExpected, asked: shape.expected_tokens }
    if (shape.open === true) return { shares: this.ofOpen, asked: open_tokens }
    return { shares: this.ofMax, asked: Math.max(1, shape.max_tokens) }
  }

  /** The first token comes with the end of the prefill. An engine that pauses still has its tokens to generate. */
  private leftMs(shape: WorkShape, { tokens, since_ms }: Progress, tokens_left: number): number {
    const rate = this.decode_ms_per_token.value
    if (tokens > 0) return Math.max(0, tokens_left * rate - Math.min(rate, since_ms))
    return Math.max(0, shape.prompt_tokens * this.prefill_ms_per_token.value - since_ms) + Math.max(0, tokens_left - 1) * rate
  }
}

/** How far a task is that has not been dispatched. */
export const waiting: Progress = { tokens: 0, since_ms: 0 }
