import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { report } from './report.ts'

// Durable, on disk. One engine takes no time, the other one is caught at work; sessions end while the day is played, as they do in a day.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pool = (id: string, slots: number, mock: object): object => ({
  ...{
    id,
    engine: 'mock',
    driver: 'in-process',
    model: `mock:${id}`,
    ctx: 8192,
    replicas: [{ id: 'r0', slots }],
    queue: { capacity: 1000 },
    mock,
  },
})
const pools = [
  pool('quick', 16, { prefill_ms: 0, token_ms: 0, tokens: 24 }),
  pool('slow', 64, { prefill_ms: 0, token_ms: 20, tokens: 500 }),
]
const sessions = { ttl_ms: 10_000, max_turns: 100 }
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'fatal', sessions, pools }))
await daemon.start()
report(serverOf(daemon.app))
