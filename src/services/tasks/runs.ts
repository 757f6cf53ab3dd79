import { cutOff, endedRun, most_runs, spanAfter, type Run, type RunFailure, type Span } from '../../domain/runs.ts'
import type { Attempts, TaskKey } from '../../domain/task.ts'
import type { EngineProps } from '../../ports/engine.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Pool } from '../pools/pool.ts'
import type { Replica } from '../pools/replica.ts'

/**
 * How a run takes up what there is of an answer. `replay`: the engine gives the same again, and what is out is left away. `continuation`: it goes
 * on from the text, and what it gives is in the journal before it goes out. `afresh`: it begins, and can only be begun again.
 */
export type RunMode = 'replay' | 'continuation' | 'afresh'

/** The task that a run is one of. */
interface Begun {
  readonly key: TaskKey
  readonly pool: Pick<Pool, 'id' | 'loading'>
  /** Moment of the clock, ms. */
  readonly accepted_on: number
  since(now: number): number
}

/** When the model of its pool was brought up last, ms since the task's acceptance; undefined where that was over before. */
export function loadingOf({ pool, accepted_on }: Pick<Begun, 'pool' | 'accepted_on'>): Span | undefined {
  const { loading } = pool
  if (loading === undefined) return undefined
  const { from, to } = loading
  return spanAfter({ from: Math.floor(from - accepted_on), to: to === undefined ? undefined : Math.floor(to - accepted_on) }, 0)
}

/** Where a run is. */
type RunPlace = Pick<Replica, 'id' | 'props'>

/** A run whose engine is called while the acceptance of its task is on the way to disk. */
export interface EarlyRun {
  readonly replica: Replica
  readonly mode: RunMode
  /** Moment of the clock, ms. */
  readonly began_at: number
}

const none: readonly Run[] = []

/** Most that is kept of a model's name, characters: of a path the end tells it from its neighbours. */
const longest_name = 512

/** Which model an engine has, where it tells: the beginning of its digest, else its name. */
const modelOf = (props: EngineProps | undefined): string | undefined =>
  props?.model_digest?.slice(0, 32) ?? props?.model?.slice(-longest_name)

/** The runs of a task. */
export class Runs {
  /** Begun, those before a restart that count included. */
  count = 0
  /** Those of this life whose engines took no more: they say nothing of the task. */
  busy = 0
  /** It was found unfinished by a start of the daemon: it may be what ended the life before. */
  readonly restored: boolean
  /** All that are kept, the newest last. */
  told = none
  /** The replica that the task has a slot of and waits to be alone on. */
  alone_on: string | undefined
  /** All that is out is in the journal, as far as it has to be. */
  complete = true
  /** What is kept has changed since the journal was given it. */
  changed = false
  /** The newest has given nothing yet. */
  private silent = false
  private mode: RunMode | undefined
  private pool: Pool | undefined

  constructor(restored: boolean) {
    this.restored = restored
  }

  /** Those of an earlier life of the daemon, which were in this pool if they are to be replayed. @param at ms since acceptance */
  restore(attempts: Attempts, pool: Pool, at: number): void {
    this.count = attempts.failed
    this.mode = attempts.recorded === true ? 'continuation' : attempts.replayable ? 'replay' : 'afresh'
    this.pool = pool
    const run = attempts.runs?.at(-1)
    this.told = attempts.runs ?? none
    if (run !== undefined && run.ended === undefined) this.replace(cutOff(run, at))
  }

  /** The next one begins. @param now moment of the clock */
  begin(task: Begun & { readonly pool: Pool }, { id: replica_id, props }: RunPlace, mode: RunMode, now: number): Fact {
    const { key, pool } = task
    const model = modelOf(props)
    ;[this.count, this.mode, this.pool] = [this.count + 1, mode, pool]
    ;[this.silent, this.changed] = [true, false]
    const last = this.told.at(-1)
    const waited = last?.ended ?? 0
    const brought = spanAfter(loadingOf(task), waited)
    const place = { pool_id: pool.id, replica_id, model_ref: pool.config.model, ...(model === undefined ? {} : { model }), waited }
    const loading = brought === undefined ? {} : { loading: brought }
    this.told = [...this.told.slice(1 - most_runs), { n: (last?.n ?? 0) + 1, ...place, ...loading, began: task.since(now) }]
    const run = { attempt: this.count, replica_id, replayable: mode === 'replay', at: Math.floor(now), runs: this.told }
    return { kind: 'attempt', key, ...run, ...(this.recorded ? { recorded: true } : {}) }
  }

  /** What the journal does not know yet. */
  keep(key: TaskKey): readonly Fact[] {
    if (!this.changed) return []
    this.changed = false
    return [{ kind: 'runs', key, attempt: this.count, runs: this.told }]
  }

  /** An orderly stop cuts the newest off: it does not count. */
  withdraw(key: TaskKey, at: number): readonly Fact[] {
    if (this.underWay === undefined) return []
    this.end(at, { code: 'WORKER_RESET', message: 'The daemon was stopped while the task ran.' })
    return [...this.keep(key), { kind: 'attempt_withdrawn', key, attempt: this.count }]
  }

  /** The engine of the newest one has given something. */
  heard(task: { since(now: number): number }, now: number): void {
    if (this.silent) this.hear(task.since(now))
  }

  private hear(at: number): void {
    this.silent = false
    const run = this.underWay
    if (run !== undefined) this.replace({ ...run, first: at })
  }

  /** The newest is over, if it was not yet. */
  end(at: number, failure: RunFailure): void {
    const run = this.underWay
    if (run !== undefined) this.replace(endedRun(run, at, failure))
  }

  /** All that are kept where the newest is over, if it was not yet. */
  toldAfter(at: number, failure: RunFailure | undefined): readonly Run[] {
    const run = this.underWay
    return run === undefined ? this.told : [...this.told.slice(0, -1), endedRun(run, at, failure)]
  }

  /** The newest, while it is under way. */
  get underWay(): Run | undefined {
    const last = this.told.at(-1)
    return last?.ended === undefined ? last : undefined
  }

  /** All there is of the answer was given by engines of this pool that give it again. */
  replayIn(pool: Pool): boolean {
    return this.mode === 'replay' && this.pool === pool
  }

  /** What there is of the answer is another model's than the one that an engine of this pool has now, as far as engines tell. */
  ofAnotherModel(pool: Pool, props: EngineProps | undefined): boolean {
    const { model_ref = pool.config.model } = this.told.at(-1) ?? {}
    if (model_ref !== pool.config.model) return true
    const now = modelOf(props)
    // What a reference of this kind means is the server's to say, in whichever pool it is.
    const anywhere = pool.config.model.startsWith('served:')
    const last = this.told.findLast(({ pool_id, model }) => (anywhere || pool_id === pool.id) && model !== undefined)
    return last !== undefined && now !== undefined && last.model !== now
  }

  /** All that is out is in the journal. */
  get recorded(): boolean {
    return this.mode === 'continuation'
  }

  /** As the journal has them where the daemon ends now; undefined where none has begun. */
  get attempts(): Attempts | undefined {
    if (this.mode === undefined) return undefined
    return { failed: this.count, replayable: this.mode === 'replay', ...(this.recorded ? { recorded: true } : {}), runs: this.told }
  }

  private replace(run: Run): void {
    this.told = [...this.told.slice(0, -1), run]
    this.changed = true
  }
}
