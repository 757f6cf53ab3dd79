import type { LiveTask } from '../tasks/live-task.ts'
import type { FeedDaemon } from './wire.ts'

/** Tasks that would be lost and are named. */
const most_lost = 10

/** What would become of tasks if the daemon were restarted now. */
export function restartOf(tasks: Iterable<LiveTask>, now: number): FeedDaemon['restart'] {
  const sums = { waiting_kept: 0, running_continue: 0, running_rerun: 0, running_lost: 0 }
  const lost: string[] = []
  let left_ms = 0
  for (const task of tasks) {
    if (task.phase === 'queued') sums.waiting_kept++
    if (task.phase !== 'running') continue
    if (task.runs.recorded) sums.running_continue++
    else if (task.runs.survive) sums.running_rerun++
    else {
      sums.running_lost++
      if (lost.length < most_lost) lost.push(task.head.task_id)
      const { shape, progress } = task.workAt(now)
      left_ms = Math.max(left_ms, task.pool.estimator.outlook([], now).left(shape, progress).mean)
    }
  }
  return { ...sums, lost, ...(lost.length === 0 ? {} : { lossless_in_ms: Math.ceil(left_ms) }) }
}
