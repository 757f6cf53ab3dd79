import type { Newest } from '../../domain/feed/newest.ts'
import type { Showable } from '../../domain/feed/shown.ts'
import type { Waits } from '../../domain/queue/waits.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { phaseOf } from '../tasks/progress.ts'
import type { Forecast } from './forecasts.ts'
import { Reason } from './reason.ts'
import { shifted } from './shifted.ts'
import { iso, wireMs, type FeedRow, type FeedState } from './wire.ts'

/** A chance that has moved by less is not told. */
const off_chance = 0.05

/** Rates are told in tenths of a token a second. */
const rounded = (rate: number): number => Math.round(rate * 10) / 10

/** At most what a row of a task takes on the wire, bytes. */
const bytesOf = ({ head: { task_id, session_id, model_ref, owner } }: LiveTask): number =>
  620 + task_id.length + session_id.length + Buffer.byteLength(model_ref + owner)

/** What is told of a task as long as it lives. */
const lastingOf = ({ task: { head, priority } }: Pick<TaskRow, 'task'>) => ({
  task_id: head.task_id,
  session_id: head.session_id,
  key_name: head.owner,
  priority,
  model_ref: head.model_ref,
  accepted_at: iso(head.accepted_at),
  deadline_at: iso(head.accepted_at + head.deadline_ms),
  tokens_in: head.prompt_tokens,
  tokens_max: head.workload === 'completion' ? head.max_tokens : 0,
})

/** A change of any of these makes the row another one. */
interface State {
  readonly started_at: number | undefined
  readonly attempts: number
  readonly replica_id: string | undefined
  readonly pool: LiveTask['pool']
  readonly phase: ReturnType<typeof phaseOf>
  readonly slot: number | undefined
}

/** A task as the feed shows it, with the ticks in which it changed. */
export class TaskRow implements Showable {
  readonly h: number
  readonly task: LiveTask
  changed = -1
  /** The tick its tokens changed in, its rate, its prediction. */
  progressed = -1
  rated = -1
  predicted = -1
  tokens = 0
  rate: number | undefined
  /** Id of the pool in which it is listed. */
  listed_in: string | undefined
  /** Its place on its replica. */
  slot: number | undefined
  /** At most what it takes on the wire, bytes. */
  readonly bytes: number
  private forecast: Forecast | undefined
  private readonly reason = new Reason()
  private lasting: ReturnType<typeof lastingOf> | undefined
  private state: State | undefined
  private readonly changes: Newest<TaskRow>
  /** When the rate was last told from, and what there was then. */
  private measured: { at: number; tokens: number } | undefined

  /** @param changes gets it in each tick in which it changes */
  constructor(h: number, task: LiveTask, tick: number, changes: Newest<TaskRow>) {
    ;[this.h, this.task, this.changes] = [h, task, changes]
    this.bytes = bytesOf(task)
    this.changeIn(tick)
  }

  /** When it was looked at last how far it is and how fast. */
  get paced_at(): number {
    return this.measured?.at ?? -Infinity
  }

  get running(): boolean {
    return this.task.started_at !== undefined
  }

  /** Whether the task is another than when it was looked at last. */
  get differs(): boolean {
    const { task, slot, state } = this
    return (
      state === undefined ||
      state.started_at !== task.started_at ||
      state.attempts !== task.attempts ||
      state.replica_id !== task.replica_id ||
      state.pool !== task.pool ||
      state.slot !== slot ||
      state.phase !== phaseOf(task)
    )
  }

  /** Looks whether the task is another than before. */
  look(tick: number): boolean {
    if (!this.differs) return false
    const { task, slot } = this
    const { started_at, attempts, replica_id, pool } = task
    this.state = { started_at, attempts, replica_id, pool, phase: phaseOf(task), slot }
    this.changeIn(tick)
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

  /** Looks how far it is, and how fast it has been since it was asked last. Returns whether either is another. */
  pace(now: number, tick: number): boolean {
    const further = this.progress(tick)
    const { tokens, measured } = this
    if (measured === undefined) this.measured = { at: now, tokens }
    if (measured === undefined || now <= measured.at) return further
    const rate = rounded(((tokens - measured.tokens) * 1000) / (now - measured.at))
    ;[measured.at, measured.tokens] = [now, tokens]
    if (rate === this.rate) return further
    this.rate = rate
    this.rated = tick
    return true
  }

  /** Takes a prediction where it is not what counting down the one before has come to. Returns whether it does. */
  predict(forecast: Forecast, now: number, tick: number): boolean {
    const { forecast: before } = this
    const same = before?.basis === forecast.basis && Math.abs(forecast.chance - before.chance) < off_chance
    if (same && !shifted(before.start_at, forecast.start_at, now)) return false
    if (forecast.basis !== before?.basis) this.changeIn(tick)
    this.forecast = forecast
    this.predicted = tick
    return true
  }

  /** Takes why it waits. */
  wait(waits: Waits | undefined, now: number, tick: number): void {
    if (this.reason.take(waits, now)) this.changeIn(tick)
  }

  /** As it is told of in full. */
  tell(now: number, wallOf: (moment: number) => number): FeedRow {
    return { ...(this.lasting ??= lastingOf(this)), ...this.tellState(now, wallOf) }
  }

  /** What is told of how it is now. */
  tellState(now: number, wallOf: (moment: number) => number): FeedState {
    const { h, task, state } = this
    const told = { h, pool_id: task.pool.id, attempt: state?.attempts ?? 0, phase: state?.phase ?? 'queued' } as const
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

  private changeIn(tick: number): void {
    if (this.changed === tick) return
    this.changed = tick
    this.changes.add(this, tick)
  }

  private prediction(now: number): Partial<FeedState> {
    const { forecast } = this
    if (forecast === undefined) return {}
    return {
      predicted_start_ms: wireMs(forecast.start_at - now),
      on_time_probability: forecast.chance,
      prediction_basis: forecast.basis,
    }
  }
}
