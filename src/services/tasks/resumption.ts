import { StreamError } from '../../domain/errors.ts'
import { beginningOf, canContinue, type Beginning } from '../../domain/stream/continuation.ts'
import type { Part } from '../../domain/stream/part.ts'
import { Replay } from '../../domain/stream/replay.ts'
import { StoppedParts } from '../../domain/stream/stopped-parts.ts'
import type { Engine, EngineProps, GenerateResult } from '../../ports/engine.ts'
import type { Pool } from '../pools/pool.ts'
import { requestOf } from './engine-request.ts'
import type { LiveTask } from './live-task.ts'
import type { RunMode } from './runs.ts'

/** A run of a task on an engine. */
export interface EngineRun {
  readonly task: LiveTask
  readonly engine: Engine
  readonly mode: RunMode
  /** Aborts the run; it aborts with a StreamError where the parts differ from those that are out. */
  readonly stop: AbortController
  /** Takes every part, whether or not it is out already. */
  readonly heard: () => void
  /** Takes what is new. */
  readonly give: (part: Part) => void
}

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
 * A run of a task of whose answer there is something, which it takes up.
 * @throws what the engine rejects with; the signal's reason after an abort
 */
export function resume(run: EngineRun): Promise<GenerateResult> {
  return run.mode === 'replay' ? replay(run) : goOn(run)
}

/** A reader may have other text than there is now: the new text is never given out as the rest of the old one. */
const diverged = (): StreamError =>
  new StreamError(
    'worker_reset',
    'The engine failed, and gave another text when the task was run again; read the task anew or send it again.',
  )

/** A run that repeats one that was cut off, and goes on where that one stopped. */
async function replay({ task, engine, stop, heard, give }: EngineRun): Promise<GenerateResult> {
  const { signal } = stop
  const known = new Replay(task.log.allParts())
  const onPart = (part: Part): void => {
    if (signal.aborted) return
    heard()
    const fresh = known.take(part)
    if (fresh === 'diverged') stop.abort(diverged())
    else if (fresh !== undefined) give(fresh)
  }
  const result = await engine.generate(requestOf(task), onPart, signal)
  if (known.missing) throw diverged()
  return result
}

/**
 * A run from the text that there is. Where that text is all there may be, nobody is asked. A stop sequence is found also where it
 * begins in what is out, which cannot be taken back, and ends in what comes.
 */
async function goOn({ task, engine, stop, heard, give }: EngineRun): Promise<GenerateResult> {
  const { signal } = stop
  const beginning = beginningOf(task.log.allParts())
  if (beginning === undefined) throw new Error(`task ${task.id} cannot be gone on with`)
  const { text, parts } = beginning
  const request = requestOf(task)
  const max_tokens = request.max_tokens - parts
  const ended = { tokens_in: task.accepted.prompt_tokens, tokens_out: 0, kv_warm: false }
  if (max_tokens < 1) return overRuns(task, beginning, { ...ended, finish_reason: 'length' })
  const stopped = new AbortController()
  const either = AbortSignal.any([signal, stopped.signal])
  const out = new StoppedParts(request.sampling.stop, text)
  let heard_parts = 0
  const onPart = (part: Part): void => {
    if (either.aborted) return
    heard()
    heard_parts++
    const fresh = out.push(part)
    if (fresh !== undefined) give(fresh)
    if (out.stopped) stopped.abort()
  }
  try {
    const result = await engine.generate({ ...request, max_tokens, continue_from: text }, onPart, either)
    const rest = out.flush()
    if (rest !== undefined) give(rest)
    return overRuns(task, beginning, result)
  } catch (error) {
    if (!out.stopped || signal.aborted) throw error
    return overRuns(task, beginning, { ...ended, tokens_out: heard_parts, finish_reason: 'stop', ...out.told })
  }
}

/**
 * What all runs of an answer have used that was gone on with from a beginning. A part counts as a token of the runs that were cut off, for those
 * told no usage; the prompt is as long as it was at admission, for the last run counts the beginning as a part of it.
 */
function overRuns(task: LiveTask, { parts, reasoning_parts }: Beginning, last: GenerateResult): GenerateResult {
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
