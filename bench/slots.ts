import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { load } from './load.ts'
import { atMost, quantile, rounded, type Section } from './section.ts'
import { startServer } from './server.ts'
import type { Gaps } from './servers/slots.ts'

const pools = [
  { pool: 'mock', engine: 'mock', model_ref: 'mock:v1', ctx: 8192, slots: 2, tasks: 4000 },
  { pool: 'tales', engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf', ctx: 256, slots: 1, tasks: 300 },
] as const

/** Queues tasks and works them off: how long a slot is idle from the engine's end of one task until it is called for the next one. */
export async function benchSlots(): Promise<Section> {
  const server = await startServer('slots')
  const seen: (Gaps & { readonly pool: string })[] = []
  try {
    for (const { pool, tasks, slots, ...fields } of pools) {
      const body = (n: number): string =>
        JSON.stringify({
          ...fields,
          task_id: `${pool}-${n}`,
          session_id: `${pool}-${n}`,
          workload: 'completion',
          priority: n % 4 === 0 ? 'batch' : 'interactive',
          seed: n,
          prompt: 'Tell me a story about a fox.',
          max_tokens: 8,
          deadline_ms: 3_600_000,
        })
      const { statuses } = await load(server.port, '/v1/tasks', 'X-API-Key: valid\r\n', body, tasks, 32)
      if (statuses.get(202) !== tasks) throw new Error(JSON.stringify([...statuses]))
      const look = async (): Promise<Gaps> => (await server.ask({ pool })) as Gaps
      let gaps = await look()
      while (gaps.count < tasks - slots) {
        await setTimeout(200)
        gaps = await look()
      }
      seen.push({ pool, ...gaps })
    }
  } finally {
    await server.stop()
  }
  const plain = commits()
  return {
    title:
      'Idle gap of a slot between two tasks of a queue, from the engine’s end of one to its call for the next. In between the next attempt is made durable, in one commit with the end and the transcript of the task before; beside it the next turn of the event loop from the same moment, and one commit of one row on the same disk by plain SQL',
    rows: [
      ...seen.map(({ pool, count, p50, p99, turn_p50, turn_p99 }) => ({
        pool,
        gaps: count,
        gap_p50_us: rounded(p50),
        gap_p99_us: rounded(p99),
        turn_p50_us: rounded(turn_p50),
        turn_p99_us: rounded(turn_p99),
      })),
      { pool: 'plain SQL', gaps: plain.length, gap_p50_us: rounded(quantile(plain, 0.5)), gap_p99_us: rounded(quantile(plain, 0.99)) },
    ],
    goals: seen.map(({ pool, p99 }) => atMost(`idle gap of ${pool}, p99, us`, p99, 2000)),
  }
}

/** Durations of single commits that are durable when they return, as the daemon's are, microseconds. */
function commits(): number[] {
  const dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
  const db = new DatabaseSync(join(dir, 'plain.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (text TEXT)')
  const insert = db.prepare('INSERT INTO rows VALUES (?)')
  const took = Array.from({ length: 2000 }, (_, n) => {
    const begun = performance.now()
    insert.run(String(n).repeat(100))
    return (performance.now() - begun) * 1000
  })
  db.close()
  rmSync(dir, { recursive: true })
  return took
}
