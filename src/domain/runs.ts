import type { components } from '../../generated/api.ts'

/** A part of a task's life, as it is told. */
export type TaskPhase = components['schemas']['TaskPhase']
/** A run of a task, as it is told. */
export type TaskAttempt = components['schemas']['TaskAttempt']

/** Runs of a task that are kept: the newest. */
export const most_runs = 16

/** When something was: where `to` is left out it goes on. Ms. */
export interface Span {
  readonly from: number
  readonly to?: number | undefined
}

/** A run of a task, as it is kept with the task. Times are whole ms since its acceptance. */
export interface Run {
  /** From 1, those that are not kept any more included. */
  readonly n: number
  readonly pool_id: string
  readonly replica_id: string
  /** Its pool's model reference; left out in what was kept before there was this field. */
  readonly model_ref?: string
  /** Which model its engine had, where it tells: a server may come back with another one. */
  readonly model?: string
  /** Since when the task had waited for it. */
  readonly waited: number
  /** When its model was brought up meanwhile. */
  readonly loading?: Span
  readonly began: number
  /** Its first part; left out where there was none. */
  readonly first?: number
  readonly ended?: number
  /** Left out where it ended as it should. */
  readonly failure?: RunFailure
}

/** Why a run did not end as it should. */
export interface RunFailure {
  readonly code: components['schemas']['ErrorCode']
  /** For the task's key. */
  readonly message: string
  /** For operators: what the engine said. */
  readonly cause?: string
}

/** Where a task waits that has no run under way. */
export interface Waiting {
  readonly pool_id: string
  /** When the model of its pool was brought up last, ms since acceptance. */
  readonly loading?: Span | undefined
}

/** A run that has ended. */
export const endedRun = (run: Run, at: number, failure?: RunFailure): Run => ({
  ...run,
  ended: Math.max(run.began, at),
  ...(failure === undefined ? {} : { failure }),
})

/** A run that a crash of the daemon cut off, unless it was over before. @param at when the daemon was back */
export const cutOff = (run: Run, at: number): Run =>
  run.ended === undefined ? endedRun(run, at, { code: 'WORKER_RESET', message: 'The daemon ended while the task ran.' }) : run

/** A span that goes on, begins anew or is over. @param on whether what it is of is so now */
export function spanOf(before: Span | undefined, on: boolean, now: number): Span | undefined {
  const goes = before !== undefined && before.to === undefined
  if (on) return goes ? before : { from: now }
  return goes ? { from: before.from, to: now } : before
}

/** As much of a span as is after a moment; undefined where there is none. */
export function spanAfter(span: Span | undefined, from: number): Span | undefined {
  if (span === undefined || (span.to !== undefined && span.to <= from)) return undefined
  return { ...span, from: Math.max(span.from, from) }
}

/**
 * Where a task has been, without gaps; what took no time is left out.
 * @param waiting where it waits now; undefined where it runs or has ended
 * @param ended when the task ended, ms since acceptance; undefined while it lives
 */
export function phasesOf(runs: readonly Run[], waiting: Waiting | undefined, ended?: number): TaskPhase[] {
  const phases: TaskPhase[] = []
  const add = (
    phase: TaskPhase['phase'],
    of: Pick<TaskPhase, 'attempt' | 'pool_id' | 'replica_id'>,
    from_ms: number,
    to_ms?: number,
  ): void => {
    if (to_ms === undefined) phases.push({ phase, ...of, from_ms })
    else if (to_ms > from_ms) phases.push({ phase, ...of, from_ms, to_ms })
  }
  const wait = (of: Pick<TaskPhase, 'attempt' | 'pool_id'>, from: number, loading: Span | undefined, to?: number): void => {
    if (loading === undefined) {
      add('queued', of, from, to)
      return
    }
    add('queued', of, from, loading.from)
    add('loading', of, loading.from, loading.to ?? to)
    if (loading.to !== undefined) add('queued', of, loading.to, to)
  }
  for (const { n, pool_id, replica_id, waited, loading, began, first, ended: over } of runs) {
    const of = { attempt: n, pool_id }
    wait(of, waited, loading, began)
    add('prefilling', { ...of, replica_id }, began, first ?? over)
    if (first !== undefined) add('decoding', { ...of, replica_id }, first, over)
  }
  const last = runs.at(-1)
  if (waiting === undefined || (last !== undefined && last.ended === undefined)) return phases
  const from = last?.ended ?? 0
  wait({ attempt: (last?.n ?? 0) + 1, pool_id: waiting.pool_id }, from, spanAfter(waiting.loading, from), ended)
  return phases
}

/**
 * The runs of a task as they are told.
 * @param accepted_at ms since the epoch
 * @param causes what engines said is told, too
 */
export function attemptsOf(runs: readonly Run[], accepted_at: number, causes: boolean): TaskAttempt[] {
  const iso = (at: number): string => new Date(accepted_at + at).toISOString()
  return runs.map(({ n, replica_id, began, ended, failure }) => ({
    n,
    replica_id,
    started_at: iso(began),
    ...(ended === undefined ? {} : { ended_at: iso(ended) }),
    ...(failure === undefined
      ? {}
      : { code: failure.code, message: (causes ? (failure.cause ?? failure.message) : failure.message).slice(0, 2000) }),
  }))
}
