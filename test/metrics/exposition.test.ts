import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { checkMetrics, type MetricsLint } from '../../scripts/metrics/check.ts'
import { parseExposition } from '../../scripts/metrics/exposition.ts'

describe('the exposition format', () => {
  it('is read with its escapes, numbers and timestamps', () => {
    const families = parseExposition(
      '# a comment\n# HELP a Words \\\\ and\\nlines.\n# TYPE a gauge\na{x="1\\"2\\\\3\\n4",y=""} 1.5e+3 1700000000000\na{x="}"} -Inf\na NaN\n',
    )
    const family = families.get('a')
    assert.equal(family?.type, 'gauge')
    assert.equal(family.help, 'Words \\ and\nlines.')
    assert.deepEqual(family.samples, [
      { name: 'a', labels: { x: '1"2\\3\n4', y: '' }, value: 1500 },
      { name: 'a', labels: { x: '}' }, value: -Infinity },
      { name: 'a', labels: {}, value: NaN },
    ])
  })

  const wrong: Readonly<Record<string, string>> = {
    'a line that does not end': 'a 1',
    'a label without quotes': 'a{x=1} 1\n',
    'a quote that is not escaped': 'a{x="1"2"} 1\n',
    'an unknown escape': 'a{x="\\t"} 1\n',
    'a label twice': 'a{x="1",x="2"} 1\n',
    'no number': 'a one\n',
    'a sample twice': 'a{x="1",y="2"} 1\na{y="2",x="1"} 1\n',
    'a type after the samples': 'a 1\n# TYPE a gauge\n',
    'two types': '# TYPE a gauge\n# TYPE a gauge\na 1\n',
    'a family that is torn apart': 'a 1\nb 1\na{x="1"} 1\n',
  }
  for (const [what, text] of Object.entries(wrong)) it(`refuses ${what}`, () => assert.throws(() => parseExposition(text)))
})

const lint: MetricsLint = {
  budgets: { x: 2 },
  series: [
    { name: 'a_total', type: 'counter', help: 'A.', labels: ['x'] },
    { name: 'b_ratio', type: 'gauge', help: 'B.', labels: [] },
    { name: 'c_ms', type: 'histogram', help: 'C.', labels: ['x'], buckets: [1, 2] },
    { name: 'd_utilization', type: 'gauge', help: 'D.', labels: [] },
  ],
}
const good = `# HELP a_total A.
# TYPE a_total counter
a_total{x="1"} 1
a_total{x="2"} 2
# HELP b_ratio B.
# TYPE b_ratio gauge
b_ratio 0.5
# HELP c_ms C.
# TYPE c_ms histogram
c_ms_bucket{le="1",x="1"} 1
c_ms_bucket{le="2",x="1"} 3
c_ms_bucket{le="+Inf",x="1"} 4
c_ms_sum{x="1"} 9
c_ms_count{x="1"} 4
# HELP d_utilization D.
# TYPE d_utilization gauge
d_utilization 1
# TYPE process_x gauge
process_x 1
`

describe('the metrics lint', () => {
  it('finds nothing where everything is as declared', () => assert.deepEqual(checkMetrics(parseExposition(good), lint), []))

  it('takes values of labels up to their length', () => {
    assert.deepEqual(checkMetrics(parseExposition(good.replace('a_total{x="2"}', `a_total{x="${'2'.repeat(256)}"}`)), lint), [])
  })

  const faults: readonly (readonly [what: string, from: string | RegExp, to: string, problem: RegExp])[] = [
    ['a series nobody declared', /$/, '# TYPE evil gauge\nevil 1\n', /^evil is shown/],
    ['a series that is not shown', /# HELP b_ratio[^]*?b_ratio 0.5\n/, '', /^b_ratio is declared and not shown/],
    ['a series without a sample', 'b_ratio 0.5\n', '', /^b_ratio has no sample/],
    ['another type', '# TYPE b_ratio gauge', '# TYPE b_ratio counter', /^b_ratio is a counter/],
    ['another HELP', '# HELP b_ratio B.', '# HELP b_ratio C.', /^b_ratio has the HELP/],
    ['a label too many', 'b_ratio 0.5', 'b_ratio{y="1"} 0.5', /^b_ratio has the labels \[y\]/],
    ['a label too few', 'a_total{x="2"} 2', 'a_total 2', /^a_total has the labels \[\]/],
    ['a label over its budget', 'a_total{x="2"} 2', 'a_total{x="2"} 2\na_total{x="3"} 2', /^a_total has 3 values of x/],
    ['a label with a line break', 'a_total{x="2"}', 'a_total{x="\\n"}', /^a_total has an empty, endless or unprintable/],
    ['a label with a sign that steers', 'a_total{x="2"}', 'a_total{x="\u0007"}', /^a_total has an empty, endless or unprintable/],
    ['a share above 1', 'b_ratio 0.5', 'b_ratio 1.5', /^b_ratio is a share/],
    ['a share below 0', 'b_ratio 0.5', 'b_ratio -0.1', /^b_ratio is a share/],
    ['a utilization above 1', 'd_utilization 1', 'd_utilization 1.01', /^d_utilization is a share/],
    ['a label that is empty', 'a_total{x="2"}', 'a_total{x=""}', /^a_total has an empty, endless or unprintable/],
    ['a label without end', 'a_total{x="2"}', `a_total{x="${'2'.repeat(257)}"}`, /^a_total has an empty, endless or unprintable/],
    ['a counter below 0', 'a_total{x="2"} 2', 'a_total{x="2"} -2', /^a_total is a counter below 0/],
    ['no number', 'b_ratio 0.5', 'b_ratio NaN', /^b_ratio has the value NaN/],
    ['other buckets', 'le="2"', 'le="3"', /^c_ms has the buckets 1,3/],
    ['buckets that fall', 'c_ms_bucket{le="2",x="1"} 3', 'c_ms_bucket{le="2",x="1"} 0', /^c_ms has a bucket that holds less/],
    ['a count that is another', 'c_ms_count{x="1"} 4', 'c_ms_count{x="1"} 5', /^c_ms has a _count/],
    ['no sum', 'c_ms_sum{x="1"} 9\n', '', /^c_ms has no _sum/],
  ]
  for (const [what, from, to, problem] of faults)
    it(`finds ${what}`, () => {
      const problems = checkMetrics(parseExposition(good.replace(from, to)), lint)
      assert.ok(
        problems.some((line) => problem.test(line)),
        problems.join('\n'),
      )
    })

  it('asks for an exception to go when its series is fed', () => {
    assert.match(checkMetrics(parseExposition(good), lint, ['b_ratio']).join(), /b_ratio is fed: take it off/)
    assert.deepEqual(checkMetrics(parseExposition(good.replace('b_ratio 0.5\n', '')), lint, ['b_ratio']), [])
    assert.match(checkMetrics(parseExposition(good), lint, ['gone']).join(), /gone is excepted and not declared/)
  })

  it('finds a counter that is not called one', () => {
    const series = lint.series.map((one) => (one.name === 'b_ratio' ? ({ ...one, type: 'counter' } as const) : one))
    assert.match(checkMetrics(parseExposition(good), { ...lint, series }).join(), /b_ratio is a counter and does not end in _total/)
  })

  it('finds a budget without a series and a label without a budget', () => {
    assert.match(checkMetrics(parseExposition(good), { ...lint, budgets: { x: 2, y: 1 } }).join(), /label y has a budget and no series/)
    assert.match(checkMetrics(parseExposition(good), { ...lint, budgets: {} }).join(), /label x, which has no budget/)
  })

  it('knows counters, gauges and histograms only by the declared names', () => {
    const declared = JSON.parse(readFileSync(new URL('../../ci/metrics.lint.json', import.meta.url), 'utf8')) as MetricsLint
    assert.equal(new Set(declared.series.map(({ name }) => name)).size, declared.series.length)
  })
})
