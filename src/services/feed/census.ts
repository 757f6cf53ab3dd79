import { untouched } from '../tasks/fate.ts'
import type { LiveTask } from '../tasks/live-task.ts'

/** What a key has. */
export interface KeyTally {
  waiting: number
  running: number
  /** Time that those that run have run, and what they have generated. */
  engine_ms: number
  tokens: number
  /** Tasks that wait and that a restart keeps whatever else it does, and all others. */
  untouched: number
  readonly begun: LiveTask[]
}

/** Counts of all live tasks. */
export interface Tally {
  readonly keys: ReadonlyMap<string, Readonly<KeyTally>>
  /** Tasks that wait, by pool and key. */
  readonly waiting: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** A count that is under way: tasks in order of acceptance, and how many of them there were when it began. */
interface Count {
  readonly tasks: Iterator<LiveTask>
  left: number
  readonly keys: Map<string, KeyTally>
  readonly waiting: Map<string, Map<string, number>>
}

/** Counts all live tasks, so many at a time that nothing else waits for it: each as it is when it is come to. */
export class Census {
  /** The newest that is complete. */
  tally: Tally = { keys: new Map(), waiting: new Map() }
  private count: Count | undefined

  /** Begins, unless a count is under way. @param size how many there are */
  begin(tasks: Iterable<LiveTask>, size: number): void {
    this.count ??= { tasks: tasks[Symbol.iterator](), left: size, keys: new Map(), waiting: new Map() }
  }

  /**
   * Goes on. Returns whether that completes it.
   * @param most tasks that are looked at
   * @param most_ms of a task's run that counts
   */
  step(most: number, now: number, most_ms: number): boolean {
    const { count } = this
    if (count === undefined) return false
    for (let n = 0; n < most; n++) {
      const next = count.left-- > 0 ? count.tasks.next() : undefined
      if (next === undefined || next.done === true) {
        this.tally = { keys: count.keys, waiting: count.waiting }
        this.count = undefined
        return true
      }
      add(next.value, count, now, most_ms)
    }
    return false
  }
}

function add(task: LiveTask, { keys, waiting }: Count, now: number, most_ms: number): void {
  const { owner, started_at, phase } = task
  if (phase === 'tentative' || phase === 'ended') return
  let key = keys.get(owner)
  if (key === undefined) keys.set(owner, (key = { waiting: 0, running: 0, engine_ms: 0, tokens: 0, untouched: 0, begun: [] }))
  if (untouched(task)) key.untouched++
  else key.begun.push(task)
  if (started_at !== undefined) {
    key.running++
    key.engine_ms += Math.min(most_ms, now - started_at)
    key.tokens += task.log.partCount
  } else if (phase === 'queued') {
    key.waiting++
    const { id } = task.pool
    let pool = waiting.get(id)
    if (pool === undefined) waiting.set(id, (pool = new Map<string, number>()))
    pool.set(owner, (pool.get(owner) ?? 0) + 1)
  }
}
