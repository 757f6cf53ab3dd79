/** A sum that is no basis to divide by: what it sums up took no time that a clock could tell. */
const negligible = 1e-12

/** A ratio as it is stored. */
export type StoredRatio = readonly [seen: number, over: number, under: number]

/** The ratio of two exponentially weighted sums, which large observations weigh more in than small ones. */
export class Ratio {
  /** What it is until anything was observed. */
  prior: number
  over = 0
  under = 0
  private seen = 0
  private readonly smoothing: number

  /** @param smoothing weight of the newest observation once the sums have warmed up */
  constructor(smoothing: number, prior: number) {
    this.smoothing = smoothing
    this.prior = prior
  }

  get value(): number {
    return this.beside(0, 0)
  }

  /** The ratio as it would be if this were seen beside what was: as heavy as observations of its size. */
  beside(over: number, under: number): number {
    const weight = Math.min(this.seen, 1 / this.smoothing)
    const below = weight * this.under + under
    return below > negligible ? (weight * this.over + over) / below : this.prior
  }

  observe(over: number, under: number): void {
    const weight = Math.max(this.smoothing, 1 / ++this.seen)
    this.over += weight * (over - this.over)
    this.under += weight * (under - this.under)
  }

  get stored(): StoredRatio {
    return [this.seen, this.over, this.under]
  }

  restore([seen, over, under]: StoredRatio): void {
    this.seen = seen
    this.over = over
    this.under = under
  }
}
