import type { Showable } from '../../domain/feed/shown.ts'
import type { Waits } from '../../domain/queue/waits.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { phaseOf } from '../tasks/progress.ts'
import type { Forecast } from './forecasts.ts'
import { Reason } from './reason.ts'
import { shifted } from './shifted.ts'
import { iso, wireMs, type FeedRow } from './wire.ts'

/** A chance that has moved by less is not told. */
const off_chance = 0.05

/** Rates are told in tenths of a token a second. */
const rounded = (rate: number): number => Math.round(rate * 10) / 10

/** A task as the feed shows it, with the ticks in which it changed. */
export class TaskRow implements Showable {
  readonly h: number
  readonly task: LiveTask
  changed: number
  /** The tick its tokens changed in, its rate, its prediction. */
  progressed = -1
  rated = -1
  predicted = -1
  tokens = 0
  rate: number | undefined
  /** Its place on its replica. */
  slot: number | undefined
  /** At most what it takes on the wire, bytes. */
  readonly bytes: number
  private forecast: Forecast | undefined
  private readonly reason = new Reason()
  private state: ReturnType<typeof stateOf> | undefined
  /** When the rate was last told from, and what there was then. */
  private measured: { readonly at: number; readonly tokens: number } | undefined

  constructor(h: number, task: LiveTask, tick: number) {
    ;[this.h, this.task, this.changed] = [h, task, tick]
    const { task_id, session_id, model_ref, owner } = task.head
    this.bytes = 620 + Buffer.byteLength(task_id + session_id + model_ref + owner)
  }

  get running(): boolean {
    return this.task.started_at !== undefined
  }

  /** Looks whether the task is another than before. */
  look(tick: number): boolean {
    const state = stateOf(this)
    const before = this.state
    if (before !== undefined && sameState(before, state)) return false
    this.state = state
    this.changed = tick
    if (this.running) this.forecast = undefined
    else this.measured = this.rate = undefined
    return true
  }

  /** Looks how far it is. */
  progress(tick: number): boolean {
    const { partCount } = this.task.log
    if (partCount === this.tokens) return false
    this.tokens = partCount
    this.progressed = tick
    return true
  }

  /** Looks how fast it has been since it was asked last. */
  pace(now: number, tick: number): void {
    const { partCount: tokens } = this.task.log
    const before = this.measured
    this.measured = { at: now, tokens }
    if (before === undefined || now <= before.at) return
    const rate = rounded(((tokens - before.tokens) * 1000) / (now - before.at))
    if (rate === this.rate) return
    this.rate = rate
    this.rated = tick
  }

  /** Takes a prediction where it is not what counting down the one before has come to. */
  predict(forecast: Forecast, now: number, tick: number): boolean {
    const { forecast: before } = this
    const same = before?.basis === forecast.basis && Math.abs(forecast.chance - before.chance) < off_chance
    if (same && !shifted(before.start_at, forecast.start_at, now)) return false
    if (forecast.basis !== before?.basis) this.changed = tick
    this.forecast = forecast
    this.predicted = tick
    return true
  }

  /** Takes why it waits. Returns whether that is another reason than before. */
  wait(waits: Waits | undefined, now: number, tick: number): boolean {
    if (!this.reason.take(waits, now)) return false
    this.changed = tick
    return true
  }

  /** As it is told of in full. */
  tell(now: number, wallOf: (moment: number) => number): FeedRow {
    const { task, state } = this
    const { head } = task
    const told = {
      h: this.h,
      task_id: head.task_id,
      session_id: head.session_id,
      key_name: head.owner,
      pool_id: task.pool.id,
      priority: task.priority,
      model_ref: head.model_ref,
      accepted_at: iso(head.accepted_at),
      deadline_at: iso(head.accepted_at + head.deadline_ms),
      attempt: state?.attempt ?? 0,
      phase: state?.phase ?? 'queued',
      tokens_in: head.prompt_tokens,
      tokens_max: head.workload === 'completion' ? head.max_tokens : 0,
    } as const
    if (state?.started_at === undefined) return { ...told, state: 'queued', ...this.prediction(now), ...this.reason.tell(now) }
    return {
      ...told,
      ...this.reason.tell(now),
      state: 'running',
      started_at: iso(wallOf(state.started_at)),
      ...(state.replica_id === undefined ? {} : { replica_id: state.replica_id }),
      ...(state.slot === undefined ? {} : { slot: state.slot }),
      tokens_out: this.tokens,
      ...(this.rate === undefined ? {} : { tokens_per_s: this.rate }),
    }
  }

  /** What is told of a prediction alone. */
  tellPredicted(now: number): [number, number, number][] {
    const { forecast } = this
    return forecast === undefined ? [] : [[this.h, wireMs(forecast.start_at - now), forecast.chance]]
  }

  private prediction(now: number): Partial<FeedRow> {
    const { forecast } = this
    if (forecast === undefined) return {}
    return {
      predicted_start_ms: wireMs(forecast.start_at - now),
      on_time_probability: forecast.chance,
      prediction_basis: forecast.basis,
    }
  }
}

/** What a change of makes the row another one. */
const stateOf = ({ task, slot }: TaskRow) => ({
  started_at: task.started_at,
  attempt: task.attempts,
  replica_id: task.replica_id,
  pool: task.pool,
  phase: phaseOf(task),
  slot,
})

type State = ReturnType<typeof stateOf>

const sameState = (a: State, b: State): boolean =>
  a.started_at === b.started_at &&
  a.attempt === b.attempt &&
  a.replica_id === b.replica_id &&
  a.pool === b.pool &&
  a.phase === b.phase &&
  a.slot === b.slot
