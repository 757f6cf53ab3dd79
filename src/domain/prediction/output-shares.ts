/** Bins for every doubling, and the exponents of 2 between which they lie. */
const per_doubling = 4
const lowest = -10
const highest = 4
const bins = (highest - lowest) * per_doubling

/** Weight of the newest task once the averages have warmed up: lengths scatter, so about the last hundred tasks count. */
const smoothing = 0.02

/** Shares as they are stored: of each bin that is not empty its place, count, sum and sum of squares. */
export interface StoredShares {
  readonly seen: number
  readonly bins: readonly (readonly [bin: number, count: number, sum: number, square: number])[]
}

/** Mean and variance of something. */
export interface Moments {
  readonly mean: number
  readonly variance: number
}

/**
 * How long answers are as a share of what was asked for: a histogram with logarithmic bins in which old tasks fade. Each bin keeps count, sum
 * and sum of squares, so that means are exact; a look costs O(1), learning O(bins).
 */
export class OutputShares {
  private seen = 0
  private readonly counts = new Float64Array(bins)
  private readonly sums = new Float64Array(bins)
  private readonly squares = new Float64Array(bins)
  /** The same, summed from a bin to the last one. */
  private readonly tails = { counts: new Float64Array(bins + 1), sums: new Float64Array(bins + 1), squares: new Float64Array(bins + 1) }

  /** @param prior shares to believe in until the first task is seen */
  constructor(prior: readonly number[]) {
    prior.forEach((share, i) => this.blend(share, 1 / (i + 1)))
  }

  observe(share: number): void {
    this.seen++
    this.blend(share, Math.max(smoothing, 1 / this.seen))
  }

  /**
   * The same beside answers that have come as far as these shares and go on: all that is known of them is that they are longer. What ends first
   * is short, so that the first ends of a pool alone would tell of short answers. The estimate is that of a distribution of which a part is
   * censored (E. Kaplan, P. Meier, 1958); what is longer than all that has ended counts as ended where it is (B. Efron, 1967). Where more has
   * ended than is remembered, what runs says nothing new.
   * @param most no more than so many go on
   * @param shares of those that do; asked for where they matter
   */
  beside(most: number, shares: () => readonly number[]): OutputShares {
    const isNews = (count: number): boolean => this.seen > 0 && this.seen < 1 / smoothing + count
    const running = isNews(most) ? shares() : []
    if (!isNews(running.length)) return this
    const ended = Math.min(this.seen, 1 / smoothing)
    const all = new OutputShares([])
    for (let bin = 0; bin < bins; bin++) all.copy(this, bin, ended)
    /** How many are known up to a bin only. */
    const censored = new Float64Array(bins + 1)
    for (const share of running) {
      const from = this.firstAbove(share)
      if ((this.tails.counts[from] ?? 0) > 0) censored[from] = (censored[from] ?? 0) + 1
      else all.add(binOf(share), share, 1)
    }
    let at_risk = ended + running.length
    let surviving = 1
    for (let bin = 0; bin < bins; bin++) {
      at_risk -= censored[bin] ?? 0
      const count = all.counts[bin] ?? 0
      if (count === 0) continue
      const part = surviving / at_risk
      at_risk -= count
      surviving = Math.max(0, surviving - count * part)
      all.copy(all, bin, part)
    }
    all.sumUp()
    return all
  }

  /**
   * Tokens still to come of an answer that is `produced` tokens long: E[X - produced | X > produced]. Where nothing seen was ever that long, half of
   * what is allowed.
   * @param asked tokens that a share of 1 stands for
   * @param most tokens the answer may have
   */
  left(asked: number, most: number, produced: number): Moments {
    const from = this.firstAbove(produced / asked)
    const rest = Math.max(0, most - produced)
    const count = this.tails.counts[from] ?? 0
    if (!(count > 0)) return { mean: rest / 2, variance: (rest * rest) / 12 }
    const mean = (this.tails.sums[from] ?? 0) / count
    const variance = Math.max(0, (this.tails.squares[from] ?? 0) / count - mean * mean)
    return { mean: Math.max(0, Math.min(rest, mean * asked - produced)), variance: Math.min(variance * asked * asked, rest * rest) }
  }

  /** Mean of `chance` over the tokens that may still come, each length as likely as it was. */
  expect(asked: number, most: number, produced: number, chance: (tokens_left: number) => number): number {
    const from = this.firstAbove(produced / asked)
    const rest = Math.max(0, most - produced)
    const all = this.tails.counts[from] ?? 0
    if (!(all > 0)) return (chance(rest / 6) + chance(rest / 2) + chance((rest * 5) / 6)) / 3
    let sum = 0
    for (let bin = from; bin < bins; bin++) {
      const count = this.counts[bin] ?? 0
      if (count > 0) sum += count * chance(Math.max(0, Math.min(rest, ((this.sums[bin] ?? 0) / count) * asked - produced)))
    }
    return Math.min(1, sum / all)
  }

  get stored(): StoredShares {
    const at = (values: Float64Array, bin: number): number => values[bin] ?? 0
    const used = Array.from(this.counts.keys()).filter((bin) => at(this.counts, bin) > 0)
    return {
      seen: this.seen,
      bins: used.map((bin) => [bin, at(this.counts, bin), at(this.sums, bin), at(this.squares, bin)] as const),
    }
  }

  /** What was seen before it is forgotten; without any it believes what it did. */
  restore({ seen, bins: stored }: StoredShares): void {
    if (seen === 0) return
    this.seen = seen
    for (const values of [this.counts, this.sums, this.squares]) values.fill(0)
    for (const [bin, count, sum, square] of stored) {
      this.counts[bin] = count
      this.sums[bin] = sum
      this.squares[bin] = square
    }
    this.sumUp()
  }

  /** The first bin whose answers are on average longer. */
  private firstAbove(share: number): number {
    if (share <= 0) return 0
    const bin = binOf(share)
    return (this.sums[bin] ?? 0) > share * (this.counts[bin] ?? 0) ? bin : bin + 1
  }

  private blend(share: number, weight: number): void {
    for (let bin = 0; bin < bins; bin++) this.copy(this, bin, 1 - weight)
    this.add(binOf(share), share, weight)
    this.sumUp()
  }

  private add(bin: number, share: number, weight: number): void {
    const { counts, sums, squares } = this
    counts[bin] = (counts[bin] ?? 0) + weight
    sums[bin] = (sums[bin] ?? 0) + weight * share
    squares[bin] = (squares[bin] ?? 0) + weight * share * share
  }

  /** Takes a bin of another one, or its own, so many times. */
  private copy(from: OutputShares, bin: number, times: number): void {
    this.counts[bin] = (from.counts[bin] ?? 0) * times
    this.sums[bin] = (from.sums[bin] ?? 0) * times
    this.squares[bin] = (from.squares[bin] ?? 0) * times
  }

  private sumUp(): void {
    const { counts, sums, squares, tails } = this
    for (let bin = bins - 1; bin >= 0; bin--) {
      tails.counts[bin] = (tails.counts[bin + 1] ?? 0) + (counts[bin] ?? 0)
      tails.sums[bin] = (tails.sums[bin + 1] ?? 0) + (sums[bin] ?? 0)
      tails.squares[bin] = (tails.squares[bin + 1] ?? 0) + (squares[bin] ?? 0)
    }
  }
}

const binOf = (share: number): number => Math.max(0, Math.min(bins - 1, Math.floor((Math.log2(share) - lowest) * per_doubling)))
