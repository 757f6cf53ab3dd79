import type { components } from '../../../generated/api.ts'
import { after, atOnce, type Start } from '../../domain/prediction/forecast.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { movesFrom } from '../tasks/other-pool.ts'

/** What would become of tasks, as the wire shows it. */
export type PoolForesight = components['schemas']['PoolForesight']

/** What a foresight looks at. */
export interface ForesightParts {
  readonly pools: Pools<LiveTask>
  readonly clock: Clock
}

/** What is about to happen to a pool. */
export interface Change {
  /** Whether what waits moves to other pools where it may. */
  readonly moves: boolean
  /** What is left ends then, ms from now; Infinity where it is not ended. */
  readonly deadline_ms: number
  /** When the pool begins with what stays, from now; as it would without the change if left out. */
  readonly loadedIn?: (task: LiveTask) => Start
}

/** From this chance on a task will probably be in time. */
const probably = 0.5

/** What would become of the tasks of a pool now. Nothing is changed. Takes as long as the queue. */
export function foresee({ pools, clock }: ForesightParts, pool: Pool<LiveTask>, change: Change): PoolForesight {
  const now = clock.now()
  const moves = change.moves ? movesFrom(pool, pools, now) : new Map<LiveTask, Pool<LiveTask>>()
  const counts = new Map<string, number>()
  for (const { id } of moves.values()) counts.set(id, (counts.get(id) ?? 0) + 1)
  const stay = [...pool.scheduler.inOrder()].filter((task) => !moves.has(task))
  return {
    pools: [pool.id],
    running: pool.running.size,
    waiting: moves.size + stay.length,
    movable: moves.size,
    moves_to: [...counts].map(([pool_id, tasks]) => ({ pool_id, tasks })),
    late: lateOf(pool, stay, change, now),
  }
}

function lateOf(pool: Pool<LiveTask>, stay: readonly LiveTask[], { deadline_ms, loadedIn }: Change, now: number): number {
  const { outlook } = pool
  const isLate = (task: LiveTask, start: Start): boolean => {
    const { shape, progress } = task.workAt(now)
    return outlook.onTimeProbability(start, shape, progress, Math.min(task.deadline_at - now, deadline_ms)) < probably
  }
  let late = [...pool.running].filter((task) => isLate(task, atOnce)).length
  let ahead = { position: 0, work_ms: 0 }
  for (const task of stay) {
    const { may_pass = 0 } = pool.scheduler.ahead(task) ?? {}
    const all = { ...ahead, may_pass }
    const left_ms = task.deadline_at - now
    const start =
      loadedIn === undefined
        ? pool.predictStart(all, task.priority, left_ms, outlook)
        : after(outlook.predictStart(all, task.priority, pool.slotsInAll), loadedIn(task))
    if (isLate(task, start)) late++
    ahead = { position: ahead.position + 1, work_ms: ahead.work_ms + task.work_ms }
  }
  return late
}
