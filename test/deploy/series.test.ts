import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { metricSeries } from '../../generated/metrics.ts'

const folder = join(import.meta.dirname, '../../deploy')
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}

const { groups } = parse(read('prometheus/alerts.yml')) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const { panels } = JSON.parse(read('grafana/dashboards/orchestratord.json')) as { readonly panels: readonly Panel[] }

/** What Prometheus adds to every series. */
const added = ['instance', 'job', 'le']
const declared = new Map<string, readonly string[]>(
  metricSeries.flatMap(({ name, type, labels }) =>
    (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((end) => [`${name}${end}`, [...labels, ...added]] as const),
  ),
)
declared.set('up', added)

/** Functions and words of PromQL that our expressions use. */
const words = /^(sum|max|by|rate|increase|deriv|histogram_quantile|and|m|h)$/

/** Names in an expression that nobody declares: series, and labels of the series it is about. */
function unknownIn(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '').replaceAll(/\[[^\]]*\]/g, '')
  const names = [...new Set(bare.match(/[a-z_]+/g))].filter((name) => !words.test(name))
  const series = names.filter((name) => declared.has(name))
  const labels = new Set(series.flatMap((name) => declared.get(name) ?? []))
  return names.filter((name) => !declared.has(name) && !labels.has(name))
}

describe('what is deployed beside the daemon', () => {
  it('finds names that nobody declares', () => {
    assert.deepEqual(unknownIn('sum by (pool_id, colour) (rate(queue_deep[5m])) > max(queue_depth{pool_id="a"})'), ['colour', 'queue_deep'])
  })

  for (const { alert, expr, annotations } of rules)
    it(`alert ${alert} asks for series and labels there are, and says what to do`, () => {
      assert.deepEqual(unknownIn(expr), [])
      assert.ok(Object.keys(annotations).includes('summary') && Object.keys(annotations).includes('action'))
    })

  for (const { title, targets } of panels)
    it(`panel ${title} asks for series and labels there are`, () => {
      assert.ok(targets.length > 0)
      for (const { expr } of targets) assert.deepEqual(unknownIn(expr.replaceAll('$__rate_interval', '').replaceAll('$pool', '')), [])
    })

  it('shows every series', () => {
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n')
    for (const { name } of metricSeries) assert.ok(shown.includes(name), name)
  })
})
