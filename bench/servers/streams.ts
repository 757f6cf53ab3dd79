import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockEngine } from '../../src/adapters/engines/mock/engine.ts'
import { random, word } from '../../src/adapters/engines/mock/words.ts'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { follow, type OpenStream } from './feed.ts'
import { report } from './report.ts'

// The daemon with an engine of a thousand slots, whose tokens come when the bench says so.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const next = random(1)
const words = Array.from({ length: 4096 }, (_, i) => word(next, i === 0))
const running: OpenStream[] = []

// The mock's own timers would be most of what is measured.
MockEngine.prototype.generate = (_request, onPart, signal) =>
  new Promise((resolve, reject) => {
    let tokens_out = 0
    const emit = (token: number): void => {
      tokens_out++
      onPart({ kind: 'text', text: words[token] ?? '' })
    }
    running.push({ emit, end: () => resolve({ finish_reason: 'stop', tokens_in: 8, tokens_out, kv_warm: false }) })
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

const pool = (id: string, replayable: boolean): object => ({
  id,
  engine: 'mock',
  driver: 'in-process',
  model: `mock:${id}`,
  mock: { replayable },
  ctx: 8192,
  replicas: [{ id: 'r0', slots: 4096 }],
  timeouts: { wall_ms: 3_600_000, idle_ms: 3_600_000 },
})
// One that replays, and one whose parts are in the journal before they go out.
const pools = [pool('v1', true), pool('recorded', false)]
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', pools }))
await daemon.start()
report(createServer(daemon.app), (question) => follow(running, question))
