/** A figure held to a goal. */
export interface Goal {
  readonly figure: string
  readonly value: number
  /** In words: `at least 0.7`. */
  readonly goal: string
  readonly met: boolean
}

/** What one bench measured. */
export interface Section {
  /** What was measured, how, and beside what. */
  readonly title: string
  /** One row a thing that was measured, units in the names of the columns. */
  readonly rows: readonly Readonly<Record<string, string | number>>[]
  readonly goals: readonly Goal[]
}

export const atLeast = (figure: string, value: number, least: number): Goal => ({
  figure,
  value: rounded(value),
  goal: `at least ${least}`,
  met: value >= least,
})

export const atMost = (figure: string, value: number, most: number): Goal => ({
  figure,
  value: rounded(value),
  goal: `at most ${most}`,
  met: value <= most,
})

/** @returns NaN of nothing */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which a share of all lies, by the nearest rank. @returns NaN of nothing */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** The geometric mean of ratios: two that undo each other give 1. @returns NaN of nothing */
export const geometricMean = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, one) => sum + Math.log(one), 0) / ratios.length)

/** Three significant digits: more than these measurements are good for. */
export const rounded = (value: number): number => Number(value.toPrecision(3))
