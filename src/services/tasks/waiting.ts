import type { Place } from '../../domain/queue/ahead.ts'
import { waitsAlone, waitsOf, type Waiter, type Waits } from '../../domain/queue/waits.ts'
import { poolSeen } from '../pools/pool-seen.ts'
import { onDevices } from '../pools/replica-choice.ts'
import { aloneAfter } from './ending.ts'
import type { LiveTask } from './live-task.ts'

/**
 * Why a task waits: in its queue, or with its slot until nobody else has one of its replica; undefined where it does not.
 * @param place what is ahead of it; undefined where it is not in the queue
 */
export function waitsNow(task: LiveTask, place: Place | undefined, now: number): Waits | undefined {
  const { pool, priority, deadline_at, runs } = task
  if (runs.alone_on !== undefined) return waitsAlone(runs.alone_on)
  if (place === undefined) return undefined
  const { position, passing } = place
  const waiter: Waiter = { priority, position, passing, again: againOf(task), alone: task.attempts >= aloneAfter }
  const interactive = priority === 'interactive'
  return waitsOf(
    waiter,
    poolSeen(pool, { interactive, deadline_at }, (replica) => onDevices(replica, task.accepted.request), now),
  )
}

function againOf(task: LiveTask): Waiter['again'] {
  if (task.runs.attempts === undefined) return undefined
  const { pool, runs, log } = task
  return { continues: log.partCount > 0 && !runs.replayIn(pool), restored: runs.restored }
}
