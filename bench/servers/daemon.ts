import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { report } from './report.ts'

// Durable, on disk; the one slot is held by the first task, so that what is measured is admission and nothing else.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pool = (id: string, model: string, capacity: number): object => ({
  id,
  engine: 'mock',
  driver: 'in-process',
  model,
  ctx: 8192,
  replicas: [{ id: 'r0', slots: 1 }],
  queue: { capacity },
  timeouts: { wall_ms: 3_600_000, idle_ms: 3_600_000 },
  mock: { prefill_ms: 600_000 },
})
const pools = [pool('mock', 'mock:v1', 10_000_000), pool('full', 'mock:full', 1)]
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', pools }))
await daemon.start()
report(serverOf(daemon.app))
