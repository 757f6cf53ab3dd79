import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { report } from './report.ts'

// Durable, on disk; the engine takes no time, so that as many lines as can be go through.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pool = {
  ...{ id: 'mock', engine: 'mock', driver: 'in-process', model: 'mock:v1', ctx: 8192 },
  ...{ replicas: [{ id: 'r0', slots: 32 }], mock: { prefill_ms: 0, token_ms: 0, tokens: 16 } },
}
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', pools: [pool] }))
await daemon.start()
report(serverOf(daemon.app))
