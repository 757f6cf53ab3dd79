import { costNano } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import { draftAgain } from '../../domain/task-defaults.ts'
import { candidatesFor, candidatesWith } from '../pools/candidates.ts'
import { placeTask, type Coming } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { PromptTokens, tokenizerOf } from '../pools/prompt-tokens.ts'
import type { LiveTask } from './live-task.ts'
import { modeIn } from './resumption.ts'

/**
 * Where admission would put the task if the pool it is in were not there: only where there is room, and where it can go on from what is out of
 * its answer, with the same model. With a budget of money a task goes only where it costs no more than is reserved.
 * @param coming what else goes to a pool and is not in its queue yet
 */
export function otherPoolFor(
  task: LiveTask,
  pools: Pools<LiveTask>,
  now: number,
  coming: (pool: Pool) => Coming = () => ({ tasks: 0, work_ms: 0 }),
): Pool<LiveTask> | undefined {
  const { owner, deadline_at, accepted, session, pool, log } = task
  const tokens = PromptTokens.of(accepted)
  const costIn = (one: Pool): number => costNano(one.config.prices, tokens.in(one) ?? 0, accepted.request.max_tokens)
  const limited = session.remaining.cost !== undefined
  const mayGo = (other: Pool): boolean =>
    other !== pool &&
    other.scheduler.depth() + Math.max(0, coming(other).tasks - freeSlots(other)) < other.config.queue.capacity &&
    (log.partCount === 0 || (tokenizerOf(other) === tokenizerOf(pool) && modeIn(task, other, other.props) !== undefined)) &&
    (!limited || costIn(other) <= costIn(pool))
  try {
    const request = draftAgain(accepted)
    const candidates = candidatesWith(candidatesFor(request, pools), mayGo)
    return placeTask({ owner, request, tokens, left_ms: deadline_at - now, coming }, candidates).pool
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

/** Slots that may take a task now. */
const freeSlots = ({ dispatches, replicas }: Pool): number =>
  replicas.reduce((sum, { hasFreeSlot, slots, busy }) => sum + (dispatches && hasFreeSlot ? slots - busy : 0), 0)

/** Where what waits in a pool would go if the pool were not there, each beside all that go before it; those that stay are not in it. */
export function movesFrom(pool: Pool<LiveTask>, pools: Pools<LiveTask>, now: number): Map<LiveTask, Pool<LiveTask>> {
  const moves = new Map<LiveTask, Pool<LiveTask>>()
  const coming = new Map<Pool, Coming>()
  const comingTo = (other: Pool): Coming => coming.get(other) ?? { tasks: 0, work_ms: 0 }
  for (const task of pool.scheduler.tasks()) {
    const other = otherPoolFor(task, pools, now, comingTo)
    if (other === undefined) continue
    const { tasks, work_ms } = comingTo(other)
    coming.set(other, { tasks: tasks + 1, work_ms: work_ms + task.work_ms })
    moves.set(task, other)
  }
  return moves
}
