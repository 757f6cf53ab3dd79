import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { quantile } from '../section.ts'
import { report } from './report.ts'

/** Microseconds. */
export interface Gaps {
  readonly count: number
  readonly p50: number
  readonly p99: number
  /** From the same moment to the next turn of the event loop. */
  readonly turn_p50: number
  readonly turn_p99: number
}

// Two pools whose replicas have one slot each, so that the next call of an engine is the next task on that slot.
const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
process.on('exit', () => {
  rmSync(data_dir, { recursive: true, force: true })
})
const replicas = ['r0', 'r1'].map((id) => ({ id, slots: 1 }))
const queue = { capacity: 100_000 }
const mock = {
  id: 'mock',
  engine: 'mock',
  driver: 'in-process',
  model: 'mock:v1',
  ctx: 8192,
  replicas,
  queue,
  mock: { prefill_ms: 1, token_ms: 0, tokens: 8 },
}
const tales = {
  id: 'tales',
  engine: 'llamacpp',
  driver: 'embedded',
  model: 'file:models/tinytales.gguf',
  ctx: 256,
  replicas: [{ id: 'r0', slots: 1 }],
  queue,
  llamacpp: { threads: 1 },
}
const daemon = await daemonOf(checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'warn', pools: [mock, tales] }))
const seen = new Map(daemon.core.pools.all().map((pool) => [pool.id, { gaps: [] as number[], turns: [] as number[] }]))
for (const pool of daemon.core.pools.all())
  for (const { engine } of pool.replicas) timeGaps(engine, seen.get(pool.id) ?? { gaps: [], turns: [] })
await daemon.start()

/** Notes how long the engine has nothing to do between two calls, and when the next turn of the event loop comes. */
function timeGaps(engine: Engine, into: { readonly gaps: number[]; readonly turns: number[] }): void {
  const generate = engine.generate.bind(engine)
  let free_at: number | undefined
  engine.generate = async (...args) => {
    if (free_at !== undefined) into.gaps.push((performance.now() - free_at) * 1000)
    free_at = undefined
    try {
      return await generate(...args)
    } finally {
      const now = performance.now()
      free_at = now
      setImmediate(() => into.turns.push((performance.now() - now) * 1000))
    }
  }
}

report(createServer(daemon.app), (question) => {
  const { gaps = [], turns = [] } = seen.get((question as { readonly pool: string }).pool) ?? {}
  return Promise.resolve({
    count: gaps.length,
    p50: quantile(gaps, 0.5),
    p99: quantile(gaps, 0.99),
    turn_p50: quantile(turns, 0.5),
    turn_p99: quantile(turns, 0.99),
  } satisfies Gaps)
})
