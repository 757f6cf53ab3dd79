import { beginningOf, canContinue } from '../../domain/stream/continuation.ts'
import type { EngineProps, GenerateResult } from '../../ports/engine.ts'
import type { Beginning } from '../../domain/stream/continuation.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from './live-task.ts'
import type { RunMode } from './runs.ts'

/**
 * How a run in a pool would take up what there is of the task's answer, by what the pool's engine says of itself; undefined where it cannot,
 * and what is out would be lost.
 */
export function modeIn(task: LiveTask, pool: Pool, props: EngineProps | undefined): RunMode | undefined {
  const { request } = task.accepted
  const { log } = task
  const begun = log.partCount > 0
  if (begun && task.runs.ofAnotherModel(pool, props)) return undefined
  if (props?.replayable === true && (!begun || task.runs.replayIn(pool))) return 'replay'
  // Of an embedding nothing is out before its end.
  if (request.workload !== 'completion') return 'continuation'
  const continues = canContinue(request, props?.features ?? [])
  if (begun) return continues && beginningOf(log.allParts()) !== undefined ? 'continuation' : undefined
  return continues ? 'continuation' : 'afresh'
}

/**
 * What all runs of an answer have used that was gone on with from a beginning. A part counts as a token of the runs that were cut off, for those
 * told no usage; the prompt is as long as it was at admission, for the last run counts the beginning as a part of it.
 */
export function overRuns(task: LiveTask, { parts, reasoning_parts }: Beginning, last: GenerateResult): GenerateResult {
  if (parts === 0) return last
  const { prompt_tokens, request } = task.accepted
  const tokens_in = Math.min(last.tokens_in, prompt_tokens)
  const { tokens_in_cached, tokens_reasoning } = last
  return {
    ...last,
    tokens_in,
    tokens_out: Math.min(request.max_tokens, parts + last.tokens_out),
    ...(tokens_in_cached === undefined ? {} : { tokens_in_cached: Math.min(tokens_in, tokens_in_cached) }),
    ...(tokens_reasoning === undefined ? {} : { tokens_reasoning: reasoning_parts + tokens_reasoning }),
  }
}
