import type { Family, Sample } from './exposition.ts'

/** One entry of `ci/metrics.lint.json`. */
export interface DeclaredSeries {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

/** `ci/metrics.lint.json` as a whole. */
export interface MetricsLint {
  /** Most values a label may take in one series. */
  readonly budgets: Readonly<Record<string, number>>
  readonly series: readonly DeclaredSeries[]
}

/** Node's own process metrics are not declared. */
const ofNode = /^(process|nodejs)_/

/**
 * Holds what a daemon shows against what is declared, both ways. Returns one line for each problem.
 * @param unfed declared series that nothing feeds yet; one that is fed after all is a problem, too, so that the exception goes
 */
export function checkMetrics(families: ReadonlyMap<string, Family>, lint: MetricsLint, unfed: readonly string[] = []): string[] {
  const problems: string[] = []
  const declared = new Map(lint.series.map((series) => [series.name, series]))
  for (const name of families.keys()) if (!declared.has(name) && !ofNode.test(name)) problems.push(`${name} is shown and not declared`)
  for (const name of unfed) if (!declared.has(name)) problems.push(`${name} is excepted and not declared`)
  for (const series of lint.series) {
    const family = families.get(series.name)
    const found =
      family === undefined ? ['is declared and not shown'] : checkFamily(family, series, lint.budgets, unfed.includes(series.name))
    problems.push(...found.map((problem) => `${series.name} ${problem}`))
  }
  const used = new Set(lint.series.flatMap(({ labels }) => labels))
  for (const label of Object.keys(lint.budgets)) if (!used.has(label)) problems.push(`the label ${label} has a budget and no series`)
  return problems
}

function checkFamily({ type, help, samples }: Family, series: DeclaredSeries, budgets: MetricsLint['budgets'], unfed: boolean): string[] {
  const problems: string[] = []
  if (type !== series.type) problems.push(`is a ${type ?? 'nothing'}, declared is a ${series.type}`)
  if (help !== series.help) problems.push(`has the HELP ${JSON.stringify(help)}, declared is ${JSON.stringify(series.help)}`)
  if (series.type === 'counter' && !series.name.endsWith('_total')) problems.push('is a counter and does not end in _total')
  if (samples.length === 0 && !unfed) problems.push('has no sample: the workload does not feed it')
  if (samples.length > 0 && unfed) problems.push('is fed: take it off the exceptions')
  const wanted = [...series.labels].sort().join()
  for (const { name, labels } of samples) {
    const given = Object.keys(labels)
      .filter((label) => !(name === `${series.name}_bucket` && label === 'le'))
      .sort()
      .join()
    if (given !== wanted) problems.push(`has the labels [${given}], declared are [${wanted}]`)
  }
  for (const label of series.labels) problems.push(...checkBudget(label, samples, budgets[label]))
  problems.push(...(series.type === 'histogram' ? checkHistogram(series, samples) : checkValues(series, samples)))
  return [...new Set(problems)]
}

function checkBudget(label: string, samples: readonly Sample[], budget: number | undefined): string[] {
  const values = new Set(samples.map(({ labels }) => labels[label] ?? ''))
  if (budget === undefined) return [`has the label ${label}, which has no budget`]
  const problems = values.size > budget ? [`has ${values.size} values of ${label}, its budget is ${budget}`] : []
  for (const value of values)
    if (value === '' || value.length > 256 || /\p{Cc}/u.test(value))
      problems.push(`has an empty, endless or unprintable value of ${label}: ${JSON.stringify(value.slice(0, 40))}`)
  return problems
}

function checkValues({ name, type }: DeclaredSeries, samples: readonly Sample[]): string[] {
  const problems = samples.flatMap(({ value }) => (Number.isFinite(value) ? [] : [`has the value ${value}`]))
  if (type === 'counter' && samples.some(({ value }) => value < 0)) problems.push('is a counter below 0')
  if (/_(ratio|utilization)$/.test(name) && samples.some(({ value }) => value < 0 || value > 1))
    problems.push('is a share and not between 0 and 1')
  return problems
}

/** Buckets as declared and one for everything, each holding what the ones before it do; `_count` and `_sum` beside them. */
function checkHistogram({ name, buckets = [] }: DeclaredSeries, samples: readonly Sample[]): string[] {
  const groups = new Map<string, { readonly buckets: [le: string, value: number][]; count?: number; sum?: number }>()
  for (const { name: sample, labels, value } of samples) {
    const { le, ...rest } = labels
    const id = JSON.stringify(Object.entries(rest).sort())
    const group = groups.get(id) ?? { buckets: [] }
    groups.set(id, group)
    if (sample === `${name}_bucket`) group.buckets.push([le ?? '', value])
    else if (sample === `${name}_count`) group.count = value
    else group.sum = value
  }
  const wanted = [...buckets.map(String), '+Inf'].join()
  const problems: string[] = []
  for (const { buckets: found, count, sum } of groups.values()) {
    const bounds = found.map(([le]) => le).join()
    if (bounds !== wanted) problems.push(`has the buckets ${bounds}, declared are ${wanted}`)
    if (found.some(([, value], i) => value < (found[i - 1]?.[1] ?? 0))) problems.push('has a bucket that holds less than the one before it')
    if (count === undefined || found.at(-1)?.[1] !== count) problems.push('has a _count that is not its last bucket')
    if (sum === undefined || !Number.isFinite(sum)) problems.push('has no _sum')
  }
  return problems
}
