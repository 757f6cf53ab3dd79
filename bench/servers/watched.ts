import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockEngine } from '../../src/adapters/engines/mock/engine.ts'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import { Feed } from '../../src/services/feed/feed.ts'
import { Viewer } from '../../src/services/feed/viewer.ts'
import { quantile } from '../section.ts'
import { ownCpu } from './own-cpu.ts'
import { report } from './report.ts'

// The daemon with engines of 500 slots in 8 pools, or in as many as the argument says; each of which gives 60 tokens a second.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const pools_ = Number(process.argv[2] ?? 8)
const slots = 500
const rate = 60
/** So that some 50 tasks end and start in each second. */
const tokens = 600
/** Multiples of it lie evenly between whole numbers, so that about as many tasks end in any second. */
const golden = (Math.sqrt(5) - 1) / 2

interface Run {
  readonly emit: () => void
  given: number
}
const running = new Set<Run>()
let begun = 0

MockEngine.prototype.generate = (_request, onPart, signal) =>
  new Promise((resolve, reject) => {
    // The first ones do not all end at once.
    const most = tokens / 2 + Math.floor(((begun++ * golden) % 1) * tokens)
    const run: Run = {
      given: 0,
      emit: () => {
        onPart({ kind: 'text', text: ' word' })
        if (++run.given < most) return
        running.delete(run)
        resolve({ finish_reason: 'stop', tokens_in: 8, tokens_out: most, kv_warm: false })
      },
    }
    running.add(run)
    signal.addEventListener('abort', () => {
      running.delete(run)
      reject(signal.reason as Error)
    })
  })

let given = 0
let gaps: number[] = []
let last = performance.now()
let rounds = 0
const began = performance.now()
setInterval(() => {
  const now = performance.now()
  gaps.push(now - last)
  last = now
  // What a round came too late for is not made up for, so that there are never more tokens than this.
  if (rounds + 1 > ((now - began) * rate) / 1000) return
  rounds++
  given += running.size
  for (const run of running) run.emit()
}, 1000 / rate)

// All that is done for who watches: looking, listening, frames, and writes. While nobody is answered, no other socket is written to.
const feed_cpu = ownCpu([
  [Feed.prototype, 'beat', 'hear'],
  [Viewer.prototype, 'take'],
  [ServerResponse.prototype, 'write'],
  [Socket.prototype, 'uncork', '_write', '_writev'],
])

const keys = ['k0', 'k1', 'k2', 'k3'].map((name) => ({
  name,
  key_sha256: createHash('sha256').update(name).digest('hex'),
  roles: ['data', 'control'],
}))
const pools = Array.from({ length: pools_ }, (_, n) => ({
  id: `p${n}`,
  engine: 'mock',
  driver: 'in-process',
  model: `mock:m${n}`,
  ctx: 8192,
  replicas: [{ id: 'r0', slots: n === 0 ? slots - (pools_ - 1) * 62 : 62 }],
  queue: { capacity: 1_000_000 },
  timeouts: { wall_ms: 3_600_000, idle_ms: 3_600_000 },
}))
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', auth: { keys }, pools }))
await daemon.start()
report(createServer(daemon.app), () => {
  const [told, tokens_given, waiting] = [gaps, given, daemon.core.pools.all().reduce((sum, { scheduler }) => sum + scheduler.depth(), 0)]
  gaps = []
  given = 0
  return Promise.resolve({
    ...{ p50: quantile(told, 0.5), p99: quantile(told, 0.99), feed_cpu_s: feed_cpu.take() / 1e6 },
    ...{ running: running.size, waiting, tokens: tokens_given },
  })
})
