import { costNano } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import { draftAgain } from '../../domain/task-defaults.ts'
import { candidatesFor, candidatesWith } from '../pools/candidates.ts'
import { placeTask } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { PromptTokens, tokenizerOf } from '../pools/prompt-tokens.ts'
import type { LiveTask } from './live-task.ts'
import { modeIn } from './resumption.ts'

/**
 * Where admission would put the task if the pool it is in were not there: only where there is room, and where it can go on from what is out of
 * its answer, with the same model. With a budget of money a task goes only where it costs no more than is reserved.
 */
export function otherPoolFor(task: LiveTask, pools: Pools<LiveTask>, now: number): Pool<LiveTask> | undefined {
  const { owner, deadline_at, accepted, session, pool, log } = task
  const tokens = PromptTokens.of(accepted)
  const costIn = (one: Pool): number => costNano(one.config.prices, tokens.in(one) ?? 0, accepted.request.max_tokens)
  const limited = session.remaining.cost !== undefined
  const mayGo = (other: Pool): boolean =>
    other !== pool &&
    other.scheduler.depth() < other.config.queue.capacity &&
    (log.partCount === 0 || (tokenizerOf(other) === tokenizerOf(pool) && modeIn(task, other, other.props) !== undefined)) &&
    (!limited || costIn(other) <= costIn(pool))
  try {
    const request = draftAgain(accepted)
    const candidates = candidatesWith(candidatesFor(request, pools), mayGo)
    return placeTask({ owner, request, tokens, left_ms: deadline_at - now }, candidates).pool
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}
