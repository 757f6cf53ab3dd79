import { fateOf, type Fate, type Remains } from '../../domain/restart.ts'
import type { LiveTask } from './live-task.ts'

/** What a start of the daemon does with a live task if the daemon is killed now. */
export const fateIfKilled = (task: LiveTask): Fate => fateOf(task.runs.attempts, () => remainsOf(task))

/** The same after an orderly stop, which does not count the run that it cuts off. */
export function fateIfStopped(task: LiveTask): Fate {
  const { attempts, underWay } = task.runs
  return fateOf(attempts && { ...attempts, failed: attempts.failed - (underWay === undefined ? 0 : 1) }, () => remainsOf(task))
}

const remainsOf = ({ runs, log }: LiveTask): Remains => ({ complete: runs.complete, continuable: log.continuable })
