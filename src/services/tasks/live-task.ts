import { nothingSpent, type Usage } from '../../domain/accounts/budget.ts'
import { shapeOf, type RunningWork, type WorkShape } from '../../domain/prediction/work.ts'
import { unplaced } from '../../domain/queue/scheduler.ts'
import { startedEvent, type TerminalEvent } from '../../domain/stream/task-events.ts'
import type { Part } from '../../domain/stream/part.ts'
import { TaskLog } from '../../domain/stream/task-log.ts'
import { isOpen, taskKeyOf, type AcceptedTask, type Attempts, type TaskHead, type TaskKey, type TaskOutcome } from '../../domain/task.ts'
import type { Fact } from '../../ports/journal.ts'
import type { PoolTask } from '../pools/pool-task.ts'
import type { Replica } from '../pools/replica.ts'
import type { Pool } from '../pools/pool.ts'
import type { Reservation } from '../sessions/reservation.ts'
import { PartTimes } from './part-times.ts'
import { workAt } from './life.ts'
import type { Phase } from './phase.ts'
import { Runs, type EarlyRun, type RunMode } from './runs.ts'

/**
 * An accepted task until its terminal event is durable. It owns its phase: each method that is named at `Phase` is a transition, throws
 * where the phase does not allow it, and returns the facts that it makes durable. Everybody else only reads.
 * A long queue is made of these: what a waiting task may never need is made when it is first asked for.
 */
export class LiveTask implements PoolTask {
  readonly owner: string
  readonly priority: TaskHead['priority']
  /** When it was accepted by the clock that deadlines and durations are counted on, ms; `accepted_at` is wall time. */
  readonly accepted_on: number
  readonly deadline_at: number
  readonly work_ms: number
  /** Written by the queue it is in, and nobody else. @see Queueable */
  ticket: number = unplaced.ticket
  arrival: number = unplaced.arrival
  readonly head: TaskHead
  private name: string | undefined
  private begun: Runs | undefined
  private found = false
  private readonly reservation: Reservation
  private currentPool: Pool<LiveTask>
  private currentPhase: Phase = 'tentative'
  private replica: string | undefined
  private dispatched_at: number | undefined
  private timed: PartTimes | undefined
  private events: TaskLog | undefined
  private seenShape: WorkShape | undefined
  private aborting: AbortController | undefined
  private ending: PromiseWithResolvers<undefined> | undefined

  constructor(head: TaskHead, pool: Pool<LiveTask>, reservation: Reservation, accepted_on: number) {
    ;[this.owner, this.priority] = [head.owner, head.priority]
    this.accepted_on = accepted_on
    this.deadline_at = accepted_on + head.deadline_ms
    this.work_ms = pool.estimator.work(shapeOf(head, head.prompt_tokens))
    ;[this.head, this.currentPool, this.reservation] = [head, pool, reservation]
  }

  /** Unique among all keys' tasks. */
  get id(): string {
    return (this.name ??= taskKeyOf(this.head.owner, this.head.task_id))
  }

  get phase(): Phase {
    return this.currentPhase
  }

  get accepted(): AcceptedTask {
    return this.head.source.task
  }

  get key(): TaskKey {
    const { owner, task_id } = this.head
    return { owner, task_id }
  }

  get pool(): Pool<LiveTask> {
    return this.currentPool
  }

  /** What it holds of session and budgets. */
  get session(): Pick<Reservation, 'asOfNow' | 'kvWarm' | 'remaining' | 'reportKv' | 'unwritten'> {
    return this.reservation
  }

  get runs(): Runs {
    return (this.begun ??= new Runs(this.found))
  }

  /** Runs it has begun. */
  get attempts(): number {
    return this.begun?.count ?? 0
  }

  /** When it got its slot, milliseconds since the epoch; undefined while it waits. */
  get started_at(): number | undefined {
    return this.dispatched_at
  }

  /** When its parts came. */
  get times(): PartTimes {
    return (this.timed ??= new PartTimes())
  }

  get replica_id(): string | undefined {
    return this.replica
  }

  get shape(): WorkShape {
    return (this.seenShape ??= shapeOf({ ...this.accepted.request, open: isOpen(this.accepted) }, this.accepted.prompt_tokens))
  }

  get log(): TaskLog {
    return (this.events ??= new TaskLog(startedEvent(this.accepted)))
  }

  /** Aborted where the task has to stop, whatever run of it is under way. */
  get abort(): AbortController {
    return (this.aborting ??= new AbortController())
  }

  /** Resolves when the terminal event is durable and every reader stands on it, or when a claimed end is taken back. */
  get ended(): Promise<undefined> {
    this.ending ??= Promise.withResolvers()
    return this.ending.promise
  }

  workAt(now: number): RunningWork {
    return workAt(this, now)
  }

  /** Ms since its acceptance. */
  since(now: number): number {
    return Math.max(0, Math.floor(now - this.accepted_on))
  }

  /** What acceptance has to make durable. @param anew it takes the place of one that has ended @param early its first run, which has begun */
  acceptance(anew: boolean, early?: EarlyRun): readonly Fact[] {
    this.expect('tentative')
    const begun = early && [...this.reservation.beginsEarly(), this.runs.begin(this, early.replica, early.mode, early.began_at)]
    return [{ kind: 'accepted', task: this.accepted, ...(anew ? { anew } : {}) }, ...this.reservation.facts, ...(begun ?? [])]
  }

  /** Its acceptance is durable. */
  accept(): void {
    this.become('queued', 'tentative')
    this.reservation.confirm()
  }

  /** It was accepted before a restart. @param recorded parts that are in the journal */
  restore(attempts: Attempts | undefined, recorded: readonly Part[], now: number): void {
    this.become('queued', 'tentative')
    this.found = true
    if (attempts !== undefined) this.runs.restore(attempts, this.currentPool, this.since(now))
    for (const part of recorded) this.log.append(part)
  }

  /** Its acceptance failed: it never was. */
  abandon(): void {
    this.become('ended', 'tentative')
    this.reservation.settle(nothingSpent)
  }

  /** It waits in another pool from now on. */
  moveTo(pool: Pool<LiveTask>): readonly Fact[] {
    this.expect('queued')
    const { id } = this.currentPool
    this.currentPool = pool
    return id === pool.id ? [] : [{ kind: 'moved', key: this.key, pool_id: pool.id }]
  }

  /** It gets its slot. @param onExhausted called when a time budget has run out */
  dispatch(replica_id: string, now: number, onExhausted: () => void): readonly Fact[] {
    this.become('running', 'queued')
    ;[this.dispatched_at, this.replica] = [now, replica_id]
    return this.reservation.begin(onExhausted)
  }

  /** A run on a replica begins, which may be another one than that of the run before. */
  attempt(replica: Pick<Replica, 'id' | 'props'>, mode: RunMode, now: number): Fact {
    this.expect('running')
    this.replica = replica.id
    return this.runs.begin(this, replica, mode, now)
  }

  /** Its engine has given something, whether or not it is new. Returns whether that is the first time. */
  heard(now: number): boolean {
    this.runs.heard(this, now)
    return this.times.heard(now)
  }

  /** Its engine failed, and it waits again. */
  requeue(): readonly Fact[] {
    this.become('queued', 'running')
    this.dispatched_at = undefined
    return [...this.runs.keep(this.key), ...this.reservation.pause()]
  }

  /**
   * Somebody wants to end it: from now on no part comes in and nobody else may end it. False where it is ending already.
   * @param mute no part goes out either
   */
  claim(mute: boolean): boolean {
    if (this.currentPhase === 'ending' || this.currentPhase === 'ended') return false
    this.become('ending', 'queued', 'running')
    this.log.freeze(mute)
    return true
  }

  /** Takes `claim` back: it is queued as before. */
  unclaim(): void {
    this.become('queued', 'ending')
    this.log.thaw()
    this.ending?.resolve(undefined)
    this.ending = undefined
  }

  /** Books what it has used; where its end may be taken back, `seal` does so later. */
  settle(used: Usage): readonly Fact[] {
    this.expect('ending')
    return this.reservation.settle(used)
  }

  /** What its end makes durable, with its newest metrics. */
  finish(outcome: TaskOutcome, terminal: TerminalEvent): Fact {
    this.expect('ending')
    return { kind: 'finished', key: this.accepted, outcome, log: this.log.stored(terminal, outcome.state === 'canceled') }
  }

  /** Its end is durable: its readers stand on the terminal event when this returns. */
  seal(outcome: TaskOutcome, terminal: TerminalEvent): void {
    this.become('ended', 'ending')
    this.log.seal(terminal, outcome.state === 'canceled')
    this.reservation.settle(nothingSpent)
    this.ending ??= Promise.withResolvers()
    this.ending.resolve(undefined)
  }

  /** The daemon stops, and the next start runs it again: the run that is cut off does not count. */
  withdraw(now: number): readonly Fact[] {
    this.expect('ending')
    return [...this.reservation.pause(), ...this.runs.withdraw(this.key, this.since(now))]
  }

  private become(phase: Phase, ...from: readonly Phase[]): void {
    this.expect(...from)
    this.currentPhase = phase
  }

  private expect(...phases: readonly Phase[]): void {
    if (!phases.includes(this.currentPhase)) throw new Error(`task ${this.id} is ${this.currentPhase}, not ${phases.join(' or ')}`)
  }
}
