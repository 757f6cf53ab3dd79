import type { Priority } from '../task.ts'
import { Outlook, type Learned, type Rates } from './outlook.ts'
import { OutputShares, type StoredShares } from './output-shares.ts'
import { Ratio, type StoredRatio } from './ratio.ts'
import { runningOf, waiting, type Running, type RunningWork, type WorkDone, type WorkShape } from './work.ts'

/** What a replica that came up needed for a short task. */
export type Probe = Pick<WorkDone, 'prompt_tokens' | 'tokens_out' | 'prefill_ms' | 'decode_ms'>

/** What was learned of a pool, as it is stored. */
export interface StoredEstimates {
  readonly seen: number
  readonly ratios: readonly StoredRatio[]
  readonly shares: readonly StoredShares[]
}

/** Weight of the newest observation once an average has warmed up: rates follow the engine, what scatters needs more tasks. */
const smoothing = { rate: 0.1, arrivals: 0.02, spread: 0.02 }

/** A task while there was none. */
const some: WorkShape = { prompt_tokens: 256, max_tokens: 256 }

/** The relative variances of service times while nothing at all was seen of an engine. */
const unknown = { spread: 0.5, noise: 0.25 }

/** Before this many tasks were seen, nothing is known well enough to refuse a task for it. */
const trusted = 5

/** From so many on, newer tasks say little of what those that wait were worth: where it changes with each, it is off by chance. */
const settled = 50

/** What lengths of open answers are told in, tokens: the histogram of shares spans 1 to 16,384 of them. */
const open_tokens = 1024

/** A chance below this is really small. In the simulated day of `bench/prediction.ts` a bolder rule meets no more deadlines, nor does a meeker one. */
const least_chance = 0.1

/**
 * Learns how long tasks of one pool take: exponentially weighted prefill and decode rates, the distribution of the share of max_tokens (or
 * expected_tokens) that is used, the lengths of answers that nobody limits, how far predictions are off, and how much work comes in. Until a task
 * has ended, rates are those of the tasks that run, before that those of a probe, before that a small model's on a slow machine; and answers are
 * taken for as long as they may be.
 */
export class Estimator {
  private seen = 0
  private isProbed = false
  /** The first task: those that come with it are likely its kind. */
  private reference: WorkShape | undefined
  private settledPace: number | undefined
  private readonly prefill_ms_per_token = new Ratio(smoothing.rate, 1)
  private readonly decode_ms_per_token = new Ratio(smoothing.rate, 20)
  private readonly ofMax = new OutputShares([1])
  private readonly ofExpected = new OutputShares([0.5, 1, 1.5])
  private readonly ofOpen = new OutputShares([0.1, 0.5, 0.9])
  /** Squared relative error of the predicted service time, and of the one with the length of the answer known. */
  private readonly spread = new Ratio(smoothing.spread, 0.1)
  private readonly noise = new Ratio(smoothing.spread, 0.02)
  private readonly service = new Ratio(smoothing.spread, 1000)
  private readonly arrivals: Record<Priority, Ratio> = {
    interactive: new Ratio(smoothing.arrivals, 0),
    batch: new Ratio(smoothing.arrivals, 0),
  }
  private readonly arrived_at: { [P in Priority]?: number } = {}
  /** What is expected while nothing runs; made anew when something was learned. */
  private idle: Outlook | undefined

  /** Expected service time of a task of which nothing is known, ms. */
  get meanServiceMs(): number {
    return this.service.value
  }

  /**
   * What is expected at `now`, ms since the epoch.
   * @param running what runs now, or as much of it as is to count
   */
  outlook(running: Running, now: number): Outlook {
    const { rates, evident } = this.ratesBeside(this.seen < 1 / smoothing.rate ? running.works() : [])
    const basis = this.seen > 0 ? 'history' : evident ? 'running' : this.isProbed ? 'probe' : 'assumed'
    const learned: Learned = {
      basis,
      rates,
      seen: this.seen,
      service_ms: this.seen > 0 ? this.service.value : undefined,
      spread: basis === 'assumed' ? unknown.spread : this.spread.value,
      noise: basis === 'assumed' ? unknown.noise : this.noise.value,
      sharesOf: this.sharesBeside(running),
      reference: this.reference ?? some,
      pace: this.settledPace,
      loadOf: (priority) => this.load(priority, now) * this.pace,
    }
    return new Outlook(learned, running)
  }

  /** How long a millisecond of work takes where nothing runs that says otherwise, ms. */
  get pace(): number {
    return this.resting.pace
  }

  /**
   * The work that a task is, ms at a pace of 1: as long as the queue has it, it may be found out how long such tasks take, and then the work of
   * all that wait is worth another time.
   */
  work(shape: WorkShape): number {
    if (this.reference === undefined) {
      this.reference = shape
      this.idle = undefined
    }
    return this.resting.serviceMs(shape) / this.resting.pace
  }

  /** Whether a task with this chance to be on time is admitted: what has seen next to nothing refuses nobody. */
  admits(chance: number): boolean {
    return this.seen < trusted || chance >= least_chance
  }

  /** A replica has come up, and needed this for a short task if it ran one. A token of a prompt takes no longer than one of an answer. */
  probed(probe: Probe | undefined): void {
    if (probe === undefined) return
    const { prompt_tokens, tokens_out, prefill_ms, decode_ms } = probe
    this.isProbed = true
    this.idle = undefined
    if (tokens_out > 1) this.decode_ms_per_token.prior = decode_ms / (tokens_out - 1)
    // An engine whose tokens take no time has shown nothing of what they cost.
    this.prefill_ms_per_token.prior = Math.min(prefill_ms / Math.max(1, prompt_tokens), this.decode_ms_per_token.prior || Infinity)
  }

  /** Learns from a task that has ended by itself. */
  observe(done: WorkDone): void {
    const service_ms = done.prefill_ms + done.decode_ms
    if (this.seen++ > 0) {
      const before = this.resting
      const predicted = before.serviceMs(done)
      this.spread.observe((service_ms - predicted) ** 2, predicted * predicted)
      const informed = before.leftMs(done, waiting, done.tokens_out)
      this.noise.observe((service_ms - informed) ** 2, informed * informed)
    }
    this.idle = undefined
    this.service.observe(service_ms, 1)
    this.prefill_ms_per_token.observe(done.prefill_ms, Math.max(1, done.prompt_tokens))
    if (done.tokens_out > 1) this.decode_ms_per_token.observe(done.decode_ms, done.tokens_out - 1)
    const { shares, asked } = this.basis(done)
    if (done.max_tokens > 0) shares.observe(done.tokens_out / asked)
    this.settle()
  }

  /** A task was accepted: this much work comes in at `now`, ms since the epoch. */
  arrived(priority: Priority, work_ms: number, now: number): void {
    const last = this.arrived_at[priority]
    this.arrived_at[priority] = now
    if (last !== undefined) this.arrivals[priority].observe(work_ms, Math.max(0, now - last))
  }

  /** What outlives a restart; undefined while no task has ended. */
  get stored(): StoredEstimates | undefined {
    if (this.seen === 0) return undefined
    return { seen: this.seen, ratios: this.ratios.map(({ stored }) => stored), shares: this.shares.map(({ stored }) => stored) }
  }

  restore({ seen, ratios, shares }: StoredEstimates): void {
    this.seen = seen
    this.idle = undefined
    for (const [index, one] of this.ratios.entries()) one.restore(ratios[index] ?? [0, 0, 0])
    for (const [index, one] of this.shares.entries()) one.restore(shares[index] ?? { seen: 0, bins: [] })
    this.settle()
  }

  private settle(): void {
    if (this.settledPace !== undefined || this.seen < settled) return
    this.settledPace = this.resting.pace
    this.idle = undefined
  }

  private get ratios(): readonly Ratio[] {
    return [this.prefill_ms_per_token, this.decode_ms_per_token, this.spread, this.noise, this.service]
  }

  private get shares(): readonly OutputShares[] {
    return [this.ofMax, this.ofExpected, this.ofOpen]
  }

  private get resting(): Outlook {
    return (this.idle ??= this.outlook(runningOf([]), 0))
  }

  /** Each running task counts like one that has ended where it is now. */
  private ratesBeside(running: readonly RunningWork[]): { readonly rates: Rates; readonly evident: boolean } {
    const prefill = { ms: 0, tokens: 0 }
    const decode = { ms: 0, tokens: 0 }
    for (const { shape, progress } of running) {
      if (progress.took === undefined) continue
      prefill.ms += progress.took.prefill_ms
      prefill.tokens += Math.max(1, shape.prompt_tokens)
      decode.ms += progress.took.decode_ms
      decode.tokens += progress.tokens - 1
    }
    // Of a pool of which nothing is known, also what a token has not come in yet says something.
    if (this.seen === 0) {
      const { prefill: prefill_rate, decode: decode_rate } = this.rates(prefill, decode)
      for (const { shape, progress } of running) {
        const due_ms = progress.tokens === 0 ? prefill_rate * Math.max(1, shape.prompt_tokens) : decode_rate
        if (progress.since_ms <= due_ms) continue
        const late = progress.tokens === 0 ? prefill : decode
        // It is expected as late again as it is already: how often a token comes is as if none had come for so long.
        late.ms += 2 * progress.since_ms - due_ms
        late.tokens += progress.tokens === 0 ? Math.max(1, shape.prompt_tokens) : 1
      }
    }
    return { rates: this.rates(prefill, decode), evident: prefill.tokens + decode.tokens > 0 }
  }

  /** What is known of lengths, corrected by those that run. */
  private sharesBeside(running: Running): Learned['sharesOf'] {
    const corrected = new Map<OutputShares, OutputShares>()
    return (of) => {
      const { shares, asked } = this.basis(of)
      let beside = corrected.get(shares)
      if (beside === undefined) {
        const all = () => running.works().map(({ shape, progress }) => ({ ...this.basis(shape), tokens: progress.tokens }))
        const such = () => all().flatMap((one) => (one.shares === shares ? [one.tokens / one.asked] : []))
        corrected.set(shares, (beside = shares.beside(running.size, such)))
      }
      return { shares: beside, asked }
    }
  }

  private rates(
    prefill: { readonly ms: number; readonly tokens: number },
    decode: { readonly ms: number; readonly tokens: number },
  ): Rates {
    return {
      prefill: this.prefill_ms_per_token.beside(prefill.ms, prefill.tokens),
      decode: this.decode_ms_per_token.beside(decode.ms, decode.tokens),
    }
  }

  /** Slots that the tasks of a class that arrive would keep busy at a pace of 1; falls off when none comes for long. */
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
}
