import assert from 'node:assert/strict'
import * as whole from 'prom-client'
import * as parts from '../../src/adapters/prometheus/prom-client.ts'

/** Name, help and type of all that is collected. */
async function described(collect: (registry: whole.Registry) => void): Promise<Map<string, string>> {
  const registry = new whole.Registry()
  collect(registry)
  const metrics = await registry.getMetricsAsJSON()
  registry.clear()
  return new Map(metrics.map(({ name, help, type }) => [name, `${String(type)}: ${help}`]))
}

// Where this fails after an upgrade of prom-client, its files have changed: look at src/adapters/prometheus/prom-client.ts.
describe('the parts of prom-client that are loaded', () => {
  it('are those of the package', () => {
    assert.deepEqual(
      [parts.Counter, parts.Gauge, parts.Histogram, parts.Registry],
      [whole.Counter, whole.Gauge, whole.Histogram, whole.Registry],
    )
  })

  it('collect the process metrics that the package collects', async () => {
    const expected = await described((register) => whole.collectDefaultMetrics({ register }))
    assert.deepEqual(await described(parts.collectProcessMetrics), expected)
    assert.ok(expected.size > 20)
  })

  it('tell the CPU time of the whole process', async () => {
    const registry = new whole.Registry()
    parts.collectProcessMetrics(registry)
    // What was told before is not told once more.
    await registry.getMetricsAsJSON()
    const before = process.cpuUsage()
    const metrics = await registry.getMetricsAsJSON()
    const after = process.cpuUsage()
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.values[0]?.value ?? NaN
    registry.clear()
    const user = of('process_cpu_user_seconds_total') * 1e6
    assert.ok(user >= before.user - 1 && user <= after.user + 1, `${before.user} <= ${user} <= ${after.user}`)
    assert.ok(of('process_cpu_seconds_total') >= of('process_cpu_user_seconds_total'))
  })
})
