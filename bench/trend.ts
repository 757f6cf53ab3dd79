/** A line through a series: its slope a step, and the standard error of that. */
export interface Trend {
  readonly slope: number
  readonly error: number
}

/** Neighbours whose mean is taken: what only one of them has is noise of the look, and not of what was looked at. */
const together = 5

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * The trend of a series whose values resemble their neighbours, however much: between noise around a line and a walk that returns to none. After P. Perron and
 * T. Yabu, "Estimating deterministic trends with an integrated or stationary noise component", Journal of Econometrics 151 (2009): the
 * autocorrelation of what an ordinary line leaves is estimated, taken for 1 where it is within 1 / sqrt(n) of that, and taken out by
 * generalised least squares; slope / error is then about normal. An ordinary standard error takes neighbours for independent, and is too small.
 * @param values at equal steps, a multiple of 5, and 100 at least
 */
export function trendOf(values: readonly number[]): Trend {
  const means = Array.from({ length: values.length / together }, (_, i) => mean(values.slice(i * together, (i + 1) * together)))
  const alike = likeness(means)
  const { slope, error } = alike === 1 ? drift(means) : whitened(means, alike)
  return { slope: slope / together, error: error / together }
}

/** First-order autocorrelation around the line of least squares, 0 to 1. Such an estimate is too low, by about 10 / n where it is near 1 and by 2 / n near 0. */
function likeness(values: readonly number[]): number {
  const n = values.length
  const [x, y] = [(n - 1) / 2, mean(values)]
  const slope = values.reduce((sum, value, i) => sum + (i - x) * (value - y), 0) / values.reduce((sum, _, i) => sum + (i - x) ** 2, 0)
  const rests = values.map((value, i) => value - y - slope * (i - x))
  const before = rests.slice(0, -1)
  const squares = before.reduce((sum, rest) => sum + rest ** 2, 0)
  if (squares === 0) return 0
  const raw = before.reduce((sum, rest, i) => sum + rest * (rests[i + 1] ?? 0), 0) / squares
  const alike = raw + (2 + 8 * raw) / n
  return alike > 1 - 1 / Math.sqrt(n) ? 1 : Math.max(0, alike)
}

/** Of a walk: the mean of its steps. */
function drift(values: readonly number[]): Trend {
  const steps = values.slice(1).map((value, i) => value - (values[i] ?? 0))
  const slope = mean(steps)
  const squares = steps.reduce((sum, step) => sum + (step - slope) ** 2, 0)
  return { slope, error: Math.sqrt(squares / (steps.length - 1) / steps.length) }
}

/** Least squares of values less what each has of the one before (Prais and Winsten 1954). */
function whitened(values: readonly number[], alike: number): Trend {
  const first = Math.sqrt(1 - alike ** 2)
  const rows = values.map((value, i) =>
    i === 0 ? { one: first, x: 0, y: first * value } : { one: 1 - alike, x: i - alike * (i - 1), y: value - alike * (values[i - 1] ?? 0) },
  )
  type Row = (typeof rows)[number]
  const sum = (of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0)
  const [ones, both, xs] = [sum(({ one }) => one ** 2), sum(({ one, x }) => one * x), sum(({ x }) => x ** 2)]
  const [ys, xys] = [sum(({ one, y }) => one * y), sum(({ x, y }) => x * y)]
  const determinant = ones * xs - both ** 2
  const slope = (ones * xys - both * ys) / determinant
  const level = (xs * ys - both * xys) / determinant
  const squares = sum(({ one, x, y }) => (y - level * one - slope * x) ** 2)
  return { slope, error: Math.sqrt(((ones / determinant) * squares) / (rows.length - 2)) }
}
