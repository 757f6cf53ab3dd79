import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { report } from './report.ts'

// Durable, on disk; a hundred keys with the limits of the default, and a slot for each.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pool = (id: string, ctx: number): object => ({
  ...{ id, engine: 'mock', driver: 'in-process', model: `mock:${id}`, ctx, replicas: [{ id: 'r0', slots: 128 }] },
  queue: { capacity: 4096 },
  mock: { prefill_ms: 5, token_ms: 40, tokens: 25 },
})
const keys = Array.from({ length: 100 }, (_, n) => `key-${n}`).map((name) => ({
  ...{ name, key_sha256: createHash('sha256').update(name).digest('hex'), roles: ['data'] },
}))
const pools = [pool('stories', 8192), pool('small', 256)]
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'error', auth: { keys }, pools }))
await daemon.start()
report(serverOf(daemon.app))
