import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { daemonOf } from '../../src/compose/daemon.ts'
import { checkConfig } from '../../src/config/config.ts'
import type { AcceptedTask } from '../../src/domain/task.ts'
import type { Fact } from '../../src/ports/journal.ts'
import type { Recovered } from '../recovery.ts'

// node recovery.ts <write | recover | sql> <data_dir> <tasks>
const [, , what = '', data_dir = '', given] = process.argv
const tasks = Number(given)

const pool = {
  id: 'mock',
  engine: 'mock',
  driver: 'in-process',
  model: 'mock:v1',
  ctx: 8192,
  replicas: [{ id: 'r0', slots: 1 }],
  queue: { capacity: 10_000_000 },
}
const config = checkConfig({ listen: '127.0.0.1:0', data_dir, log_level: 'silent', pools: [pool] })

const acceptedTask = (n: number, now: number): AcceptedTask => ({
  owner: 'valid',
  task_id: `task-${n}`,
  request: {
    task_id: `task-${n}`,
    session_id: `session-${n >> 2}`,
    workload: 'completion',
    determinism: 'best_effort',
    kv_hint: 'cold',
    output_mode: 'text',
    model_ref: 'mock:v1',
    engine: 'mock',
    ctx: 8192,
    priority: n % 4 === 0 ? 'batch' : 'interactive',
    messages: [
      { role: 'user', content: 'Tell me a story about a fox that crosses a river at night and meets an otter on the other side.' },
    ],
    max_tokens: 256,
    deadline_ms: 86_400_000,
  },
  seed: n,
  prompt_tokens: 25,
  pool_id: 'mock',
  accepted_at: now,
  queue_position: n,
  predicted_start_ms: n * 1000,
  backoff_ms: n * 1000,
  correlation_id: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
})

/** What admission writes for each task: its acceptance, and its session with the first task of it. */
async function write(): Promise<void> {
  const storage = await openStorage({ data_dir })
  const now = Date.now()
  for (let first = 0; first < tasks; first += 1000) {
    const commits: Promise<void>[] = []
    for (let n = first; n < Math.min(first + 1000, tasks); n++) {
      const facts: Fact[] = [{ kind: 'accepted', task: acceptedTask(n, now) }]
      const session = {
        owner: 'valid',
        session_id: `session-${n >> 2}`,
        created_at: now,
        expires_at: now + 86_400_000,
        turns: 0,
        budgets: {},
        spent: { tokens: 0, time_ms: 0, cost_nano: 0 },
      }
      if (n % 4 === 0) facts.push({ kind: 'session_put', session })
      commits.push(storage.journal.commit(facts))
    }
    await Promise.all(commits)
  }
  await storage.close()
}

/** Runs and measures it; the modules are loaded before. */
async function measure(work: () => number | Promise<number>): Promise<Recovered> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const found = await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  if (found !== tasks) throw new Error(`${found} of ${tasks} tasks`)
  return { seconds, cpu_seconds: (user + system) / 1e6 }
}

/** Everything up to the point where the tasks are queued again; no engine starts, and the process ends without a word to the disk. */
const recover = (): Promise<Recovered> =>
  measure(async () => {
    const daemon = await daemonOf(config)
    return daemon.core.pools.all().reduce((sum, { scheduler }) => sum + scheduler.depth(), 0)
  })

/** The same rows on the same thread, as text. */
const sql = (): Promise<Recovered> =>
  measure(() => {
    const db = new DatabaseSync(join(data_dir, 'orchestratord.db'), { returnArrays: true })
    const rows = db.prepare('SELECT seq, accepted, outcome FROM tasks JOIN requests USING (seq) WHERE ended IS NULL ORDER BY seq').all()
    db.prepare('SELECT owner, session_id, created_at, expires_at, turns, budgets, spent FROM sessions').all()
    db.close()
    return rows.length
  })

if (what === 'write') await write()
else process.stdout.write(JSON.stringify(await (what === 'sql' ? sql() : recover())), () => process.exit(0))
