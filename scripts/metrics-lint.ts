/**
 * `npm run metrics:lint`: starts the daemon, does what feeds every series, scrapes it, and holds what it shows against ci/metrics.lint.json, both
 * ways and with the budgets of the labels. GPU series come from what NVIDIA's tool is recorded to print.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { daemonOf } from '../src/compose/daemon.ts'
import { checkConfig } from '../src/config/config.ts'
import { serverOf } from '../src/http/server.ts'
import { checkMetrics, type MetricsLint } from './metrics/check.ts'
import { Client } from './metrics/client.ts'
import { parseExposition } from './metrics/exposition.ts'
import { runWorkload, workloadGroups, workloadPools } from './metrics/workload.ts'

const root = join(import.meta.dirname, '..')
const key = 'metrics-lint'
/** How often the daemon looks at its devices here, ms. */
const every_ms = 100
/** Declared and fed by nothing yet. Each fails the lint as soon as it is fed. */
const unfed: readonly string[] = []

const config = checkConfig({
  listen: '127.0.0.1:0',
  data_dir: ':memory:',
  models_dir: join(root, 'models'),
  log_level: 'silent',
  shutdown_grace_ms: 0,
  auth: { keys: [{ name: 'lint', key_sha256: createHash('sha256').update(key).digest('hex'), roles: ['data', 'control'] }] },
  devices: { nvidia_smi: join(root, 'test/fixtures/nvidia-smi'), every_ms },
  pools: workloadPools,
  groups: workloadGroups,
})
const lint = JSON.parse(readFileSync(join(root, 'ci/metrics.lint.json'), 'utf8')) as MetricsLint
const daemon = await daemonOf(config)
await daemon.start()
const server = serverOf(daemon.app)
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, key)
try {
  await runWorkload(client, join(root, 'models/tinytales.gguf'))
  // The engine tells of its KV cache once a second, and the daemon looks every now and then.
  await sleep(1000 + 3 * every_ms)
  const families = parseExposition(await client.scrape())
  const problems = checkMetrics(families, lint, unfed)
  for (const problem of problems) console.error(problem)
  const samples = lint.series.reduce((sum, { name }) => sum + (families.get(name)?.samples.length ?? 0), 0)
  console.log(`metrics: ${lint.series.length} series declared, ${unfed.length} excepted, ${samples} samples, ${problems.length} problem(s)`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  await daemon.quiesce()
  server.closeAllConnections()
  server.close()
  await daemon.close()
}
