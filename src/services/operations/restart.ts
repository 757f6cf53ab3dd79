import { runningOf } from '../../domain/prediction/work.ts'
import { restartOf, type Fated, type Restart } from '../../domain/restart.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pools } from '../pools/pools.ts'
import { fateIfKilled, untouched } from '../tasks/fate.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { poolFor } from './recovery.ts'

/** What is looked at for what a restart would do. */
export interface RestartParts {
  readonly live: LiveTasks
  readonly pools: Pools<LiveTask>
  readonly clock: Clock
}

/**
 * What a restart would do now, with the same configuration: by the very rules of recovery. O(live tasks), of which those that have not begun cost
 * next to nothing; ask at most once a second.
 * @param owner whose tasks alone are looked at
 */
export function restartNow({ live, ...parts }: RestartParts, owner?: string): Restart {
  const begun: LiveTask[] = []
  let waiting = 0
  for (const task of live.all(owner))
    if (untouched(task)) waiting++
    else begun.push(task)
  return restartOfThese(begun, waiting, parts)
}

/** The same of tasks that were counted. @param waiting those that wait untouched, beside these */
export function restartOfThese(begun: readonly LiveTask[], waiting: number, { pools, clock }: Omit<RestartParts, 'live'>): Restart {
  const now = clock.now()
  // What is not durable yet was not accepted.
  const unfinished = begun.filter(({ phase }) => phase !== 'tentative' && phase !== 'ended')
  return restartOf(
    unfinished.map((task) => fatedOf(task, pools, now)),
    waiting,
  )
}

function fatedOf(task: LiveTask, pools: Pools<LiveTask>, now: number): Fated {
  const { key, head, pool, runs } = task
  const next = pool.current ? pool : poolFor({ head, attempts: runs.attempts }, pools)
  return {
    key,
    running: task.started_at !== undefined,
    fate: next === undefined ? 'lost' : fateIfKilled(task, next),
    left_ms: () => leftMs(task, now),
  }
}

/** When a task is expected to have ended, ms from now. */
function leftMs(task: LiveTask, now: number): number {
  const { pool, priority, deadline_at } = task
  const work = task.workAt(now)
  const ahead = task.started_at === undefined ? pool.scheduler.ahead(task) : undefined
  const outlook = ahead === undefined ? pool.estimator.outlook(runningOf([work]), now) : pool.outlook
  const left_ms = outlook.left(work.shape, work.progress).mean
  return ahead === undefined ? left_ms : left_ms + pool.predictStart(ahead, priority, deadline_at - now, outlook).mean
}
