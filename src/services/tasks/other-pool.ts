import { DomainError } from '../../domain/errors.ts'
import { draftAgain } from '../../domain/task-defaults.ts'
import { candidatesFor, placeTask } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from './live-task.ts'
import { modeIn } from './resumption.ts'

/**
 * Where admission would put the task if the pool it is in were not there: only where there is room, and where it can go on from what is out of
 * its answer.
 */
export function otherPoolFor(task: LiveTask, pools: Pools<LiveTask>, now: number): Pool<LiveTask> | undefined {
  const { owner, deadline_at, accepted } = task
  const others = (all: readonly Pool<LiveTask>[]): Pool<LiveTask>[] =>
    all.filter(
      (other) =>
        other !== task.pool &&
        other.scheduler.depth() < other.config.queue.capacity &&
        (task.log.partCount === 0 || modeIn(task, other, other.props) !== undefined),
    )
  try {
    const draft = draftAgain(accepted)
    const { first, fallback, pinned } = candidatesFor(draft, pools)
    const seeker = { owner, request: draft, prompt_tokens: accepted.prompt_tokens, left_ms: deadline_at - now }
    return placeTask(seeker, { first: others(first), fallback: others(fallback), pinned }).pool
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}
