import type { Pool } from '../pools/pool.ts'
import { untouched } from '../tasks/fate.ts'
import type { LiveTask } from '../tasks/live-task.ts'

/** Tasks of which a restart of the daemon has to be asked one by one, and how many wait that it keeps. */
export interface AtStake {
  readonly begun: readonly LiveTask[]
  readonly kept: number
}

/**
 * What is at stake with a restart: tasks that run, that wait again, or that wait in a pool that is worked off. O(those, and keys)
 * @param owner whose alone
 */
export function atStake(pools: Iterable<Pool<LiveTask>>, owner: string | undefined): AtStake {
  const begun: LiveTask[] = []
  let kept = 0
  const take = (task: LiveTask): number => (owner === undefined || task.owner === owner ? begun.push(task) : 0)
  for (const pool of pools) {
    const { scheduler, running, current } = pool
    for (const task of running) take(task)
    const before = begun.length
    for (const task of current ? waitingAgain(pool) : scheduler.tasks()) take(task)
    kept += (owner === undefined ? scheduler.depth() : scheduler.owners.of(owner)) - (begun.length - before)
  }
  return { begun, kept }
}

/** Those that wait again come before all others of their class. */
function* waitingAgain({ scheduler }: Pool<LiveTask>): Iterable<LiveTask> {
  const left = { interactive: scheduler.depth('interactive'), batch: scheduler.depth('batch') }
  for (const task of scheduler.inOrder()) {
    if (untouched(task)) left[task.priority] = 0
    else if (left[task.priority]-- > 0) yield task
    if (left.interactive <= 0 && left.batch <= 0) return
  }
}
