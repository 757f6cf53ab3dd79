import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { labelBudgets, metricSeries, type MetricLabels } from '../../generated/metrics.ts'
import { checkMetrics, type MetricsLint } from '../../scripts/metrics/check.ts'
import { parseExposition } from '../../scripts/metrics/exposition.ts'
import { createPrometheusMetrics, type PrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { LabelBudget } from '../../src/adapters/prometheus/label-budget.ts'

const lint = JSON.parse(readFileSync(new URL('../../ci/metrics.lint.json', import.meta.url), 'utf8')) as MetricsLint

/** Feeds every series once, with label values as `value` gives them. */
function feed(metrics: PrometheusMetrics, value: (label: string) => string, amount = 1): void {
  for (const { name, type, labels } of metricSeries) {
    const given = Object.fromEntries(labels.map((label) => [label, labelBudgets[label] === 2 ? 'true' : value(label)]))
    if (type === 'counter') metrics.count(name, given as MetricLabels[typeof name], amount)
    else if (type === 'gauge') metrics.gauge(name, given, amount)
    else metrics.observe(name, given as MetricLabels[typeof name], amount)
  }
}

const evil = [
  '"} 1\nevil 1',
  '\\',
  '\u0000',
  '\ud800',
  '\u2028',
  '{x="1"}',
  '# TYPE evil gauge',
  '__proto__',
  'constructor',
  '',
  'x'.repeat(10_000),
  '\u{1F98A}'.repeat(200),
  'a,b="c"',
  '\r\n',
  'other',
]

describe('the metrics registry', () => {
  it('keeps every budget whatever the label values are, and its text stays well-formed', async () => {
    const metrics = createPrometheusMetrics(false)
    for (const text of evil) feed(metrics, () => text, 0.5)
    for (let i = 0; i < 1500; i++) feed(metrics, (label) => `${evil[i % evil.length] ?? ''}${label}${i}`, 0.5)
    const families = parseExposition(await metrics.scrape())
    const problems = checkMetrics(families, lint)
    assert.deepEqual(problems, [])
  })

  it('records what comes too late as other, and what was there before as itself', async () => {
    const metrics = createPrometheusMetrics(false)
    for (let i = 0; i < 20; i++) metrics.count('tasks_rejected_total', { engine: 'mock', reason: `R${i}` }, 2)
    const samples = parseExposition(await metrics.scrape()).get('tasks_rejected_total')?.samples ?? []
    const of = (reason: string): number | undefined => samples.find(({ labels }) => labels['reason'] === reason)?.value
    assert.equal(samples.length, 16)
    assert.equal(of('R14'), 2)
    assert.equal(of('R15'), undefined)
    assert.equal(of('other'), 10)
  })

  it('budgets each series by itself', async () => {
    const metrics = createPrometheusMetrics(false)
    for (let i = 0; i < 20; i++) metrics.count('tasks_rejected_total', { engine: `e${i}`, reason: 'R' })
    metrics.count('admission_backpressure_events_total', { engine: 'mock', policy: 'reject' })
    assert.deepEqual(parseExposition(await metrics.scrape()).get('admission_backpressure_events_total')?.samples[0]?.labels, {
      engine: 'mock',
      policy: 'reject',
    })
  })

  it('leaves out numbers that are none, counters that would fall, and labels that are not declared', async () => {
    const metrics = createPrometheusMetrics(false)
    for (const amount of [NaN, Infinity, -Infinity]) feed(metrics, () => 'x', amount)
    metrics.count('tasks_rejected_total', { engine: 'mock', reason: 'R' }, -1)
    const more = { engine: 'mock', reason: 'R', more: 'x' }
    metrics.count('tasks_rejected_total', more)
    const families = parseExposition(await metrics.scrape())
    assert.equal(
      [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0),
      1,
    )
    assert.deepEqual(families.get('tasks_rejected_total')?.samples[0], {
      name: 'tasks_rejected_total',
      labels: { engine: 'mock', reason: 'R' },
      value: 1,
    })
  })

  it('forgets a gauge, and only that one', async () => {
    const metrics = createPrometheusMetrics(false)
    for (const state of ['a', 'b']) metrics.gauge('model_state', { model_id: 'm', state }, 1)
    metrics.forget('model_state', { model_id: 'm', state: 'a' })
    metrics.forget('model_state', { model_id: 'never seen', state: 'a' })
    assert.deepEqual(
      parseExposition(await metrics.scrape())
        .get('model_state')
        ?.samples.map(({ labels }) => labels),
      [{ model_id: 'm', state: 'b' }],
    )
  })

  it('has room again for the values of gauges that were forgotten', async () => {
    const metrics = createPrometheusMetrics(false)
    for (let i = 0; i < 5000; i++) {
      metrics.gauge('model_state', { model_id: `m${i}`, state: 'a' }, 1)
      metrics.gauge('model_state', { model_id: `m${i}`, state: 'b' }, 0)
      for (const state of ['a', 'b']) if (i < 4999) metrics.forget('model_state', { model_id: `m${i}`, state })
    }
    assert.deepEqual(
      parseExposition(await metrics.scrape())
        .get('model_state')
        ?.samples.map(({ labels }) => [labels['model_id'], labels['state']]),
      [
        ['m4999', 'a'],
        ['m4999', 'b'],
      ],
    )
  })

  it('shows HELP and TYPE of what has no sample, and no sample of what nothing fed', async () => {
    const families = parseExposition(await createPrometheusMetrics(false).scrape())
    assert.equal(families.size, metricSeries.length)
    for (const { name, help, type, samples } of families.values())
      assert.ok(help !== undefined && type !== undefined && samples.length === 0, name)
  })
})

describe('the budget of a label', () => {
  it('is never exceeded, gives the same value for the same input, and only short printable ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 8 }),
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...evil))),
        (size, values) => {
          const budget = new LabelBudget(size)
          const given = values.map((value) => budget.admit(value))
          assert.ok(new Set([...given, 'other']).size <= size)
          for (const [i, value] of values.entries()) assert.equal(budget.find(value), given[i] === 'other' ? budget.find(value) : given[i])
          for (const value of given) assert.ok(Array.from(value).length <= 128 && !/\p{Cc}/u.test(value) && value.isWellFormed())
        },
      ),
    )
  })

  it('keeps the place of all that came too late, though their samples are gone', () => {
    const budget = new LabelBudget(3)
    assert.deepEqual(
      ['a', 'b', 'c'].map((value) => budget.admit(value)),
      ['a', 'b', 'other'],
    )
    budget.release('other')
    assert.equal(budget.admit('d'), 'other')
    budget.release('a')
    assert.deepEqual([budget.find('a'), budget.admit('d')], ['other', 'd'])
  })

  it('has a place for both values of a boolean', () => {
    const budget = new LabelBudget(2)
    assert.deepEqual(
      ['true', 'false', 'true'].map((value) => budget.admit(value)),
      ['true', 'false', 'true'],
    )
  })
})
