import type { LiveTask } from '../tasks/live-task.ts'

/** How many tasks each key has. */
export interface KeyTally {
  waiting: number
  running: number
  /** Time that those that run have run, and what they have generated. */
  engine_ms: number
  tokens: number
}

interface Count {
  count: number
}

/** Counts of all live tasks at one moment. */
export interface Tally {
  readonly keys: ReadonlyMap<string, KeyTally>
  /** Tasks that wait, by pool and key. */
  readonly waiting: ReadonlyMap<string, ReadonlyMap<string, Readonly<Count>>>
}

/** Counts all live tasks. O(n): once a second. @param most_ms of a task's run that counts */
export function tallyOf(tasks: Iterable<LiveTask>, now: number, most_ms: number): Tally {
  const keys = new Map<string, KeyTally>()
  const waiting = new Map<string, Map<string, Count>>()
  for (const task of tasks) {
    const { owner, started_at, phase } = task
    if (phase === 'tentative') continue
    let key = keys.get(owner)
    if (key === undefined) keys.set(owner, (key = { waiting: 0, running: 0, engine_ms: 0, tokens: 0 }))
    if (started_at !== undefined) {
      key.running++
      key.engine_ms += Math.min(most_ms, now - started_at)
      key.tokens += task.log.partCount
    } else if (phase === 'queued') {
      key.waiting++
      const { id } = task.pool
      let pool = waiting.get(id)
      if (pool === undefined) waiting.set(id, (pool = new Map<string, Count>()))
      const count = pool.get(owner)
      if (count === undefined) pool.set(owner, { count: 1 })
      else count.count++
    }
  }
  return { keys, waiting }
}
