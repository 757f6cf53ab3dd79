import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { serverOf } from '../../src/http/server.ts'
import { report } from './report.ts'

// The daemon in front of an engine that is a server, durable on disk.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pool = {
  id: 'bench',
  engine: 'openai',
  url: `http://127.0.0.1:${process.argv[2] ?? ''}`,
  replicas: [{ id: 'r0', slots: 1100 }],
  queue: { capacity: 10_000 },
  replayable: false,
}
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', pools: [pool] }))
await daemon.start()
report(serverOf(daemon.app))
