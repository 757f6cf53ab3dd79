import { window_ms, type KeyUse } from '../../domain/feed/key-use.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { FeedKey } from './wire.ts'

/** Most keys that are told of. */
const most_keys = 1000

/** What a key has. */
interface KeyCount {
  waiting: number
  running: number
  /** Time that those that run have run, and what they have generated. */
  engine_ms: number
  tokens: number
}

/** What each key has in these pools. O(tasks that run, and keys of each pool) */
export function countKeys(pools: Iterable<Pool<LiveTask>>, now: number): ReadonlyMap<string, Readonly<KeyCount>> {
  const counts = new Map<string, KeyCount>()
  const of = (owner: string): KeyCount => {
    let count = counts.get(owner)
    if (count === undefined) counts.set(owner, (count = { waiting: 0, running: 0, engine_ms: 0, tokens: 0 }))
    return count
  }
  for (const { scheduler, running } of pools) {
    for (const [owner, waiting] of scheduler.owners) of(owner).waiting += waiting
    for (const { owner, started_at = now, log } of running) {
      const count = of(owner)
      count.running++
      count.engine_ms += Math.min(window_ms, now - started_at)
      count.tokens += log.partCount
    }
  }
  return counts
}

/** The same as it is told, with what each has used. */
export function keysTold(counts: ReadonlyMap<string, Readonly<KeyCount>>, used: ReadonlyMap<string, KeyUse>, now: number): FeedKey[] {
  const names = [...new Set([...counts.keys(), ...used.keys()])].slice(0, most_keys)
  const uses = names.map((key_name) => {
    const { waiting, running, engine_ms, tokens } = counts.get(key_name) ?? nothing
    const past = used.get(key_name)?.sum(now) ?? nothing_used
    const sums = { engine_ms: engine_ms + past.engine_ms, tokens: tokens + past.tokens }
    return { key_name, waiting, running, ...sums, refused: past.refused, late: past.late }
  })
  const all = uses.reduce((sum, { engine_ms }) => sum + engine_ms, 0)
  return uses.map(({ engine_ms, ...use }) => ({ ...use, share: all === 0 ? 0 : Math.round((engine_ms / all) * 100) / 100 }))
}

const nothing: Readonly<KeyCount> = { waiting: 0, running: 0, engine_ms: 0, tokens: 0 }
const nothing_used = { engine_ms: 0, tokens: 0, refused: 0, late: 0 }
