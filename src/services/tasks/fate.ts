import { fateOf, type Fate, type Remains } from '../../domain/restart.ts'
import type { LiveTask } from './live-task.ts'

/** Whether a task waits as it was accepted, in a pool that goes on: whatever ends the daemon, it waits again. */
export const untouched = ({ phase, pool, runs }: LiveTask): boolean => phase === 'queued' && pool.current && runs.attempts === undefined

/** What a start of the daemon does with a live task if the daemon is killed now. @param pool where the task is then */
export const fateIfKilled = (task: LiveTask, pool = task.pool): Fate => fateOf(task.runs.attempts, () => remainsOf(task, pool))

/** The same after an orderly stop, which does not count the run that it cuts off. */
export function fateIfStopped(task: LiveTask): Fate {
  const { attempts, underWay } = task.runs
  return fateOf(attempts && { ...attempts, failed: attempts.failed - (underWay === undefined ? 0 : 1) }, () => remainsOf(task, task.pool))
}

function remainsOf(task: LiveTask, pool: LiveTask['pool']): Remains {
  const { runs, log } = task
  // What runs now runs on the model that it began with.
  const same = log.partCount === 0 || (task.started_at !== undefined && pool === task.pool) || !runs.ofAnotherModel(pool, pool.props)
  return { complete: runs.complete, continuable: log.continuable && same }
}
