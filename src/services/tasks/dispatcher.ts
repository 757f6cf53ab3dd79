import { DomainError, StreamError } from '../../domain/errors.ts'
import { aborted } from '../../ports/clock.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { chooseReplica, fitsNow } from '../pools/replica-choice.ts'
import type { Replica } from '../pools/replica.ts'
import { attempt, EarlyCall, type AttemptParts, type Call, type Failed } from './attempt.ts'
import { aloneAfter, type Ending } from './ending.ts'
import { failureOf, mayRetry, nextPool, nextReplica, runFailureOf, wasBusy } from './failover.ts'
import type { LiveTask } from './live-task.ts'
import type { Settlement } from './settlement.ts'
import { placeOf } from './progress.ts'
import { modeIn } from './resumption.ts'

/** What the dispatcher works with. */
export interface DispatcherParts extends AttemptParts {
  readonly pools: Pools<LiveTask>
  readonly settlement: Settlement
}

/** How often queued tasks are looked at whose deadline has passed, ms. */
const expiry_ms = 100

/** @see Dispatcher.keep, ms */
const keep_ms = 1000

/** Puts queued tasks on free slots and sees them through to their end. */
export class Dispatcher {
  private readonly parts: DispatcherParts
  private stopping = false

  constructor(parts: DispatcherParts) {
    this.parts = parts
  }

  /** Dispatches whenever a slot becomes free, and expires queued tasks at their deadline. Returns how to stop. */
  start(): () => void {
    const { pools, clock } = this.parts
    pools.onCapacity = (pool) => this.dispatch(pool)
    const cancels = [
      clock.every(expiry_ms, () => {
        for (const pool of pools.serving()) this.expire(pool)
      }),
      clock.every(keep_ms, () => this.keep()),
    ]
    return () => {
      this.stopping = true
      for (const pool of pools.serving()) pool.life = 'closing'
      for (const cancel of cancels) cancel()
    }
  }

  /** Fills the pool's free slots from its queue. */
  dispatch(pool: Pool<LiveTask>): void {
    if (this.stopping) return
    let taken = false
    for (;;) {
      if (!pool.dispatches || !pool.replicas.some(({ hasFreeSlot }) => hasFreeSlot)) break
      const task = pool.scheduler.next((waiting) => fitsNow(pool, waiting))
      const replica = task === undefined ? undefined : chooseReplica(pool, task)
      if (task === undefined || replica === undefined) break
      taken = true
      this.begin(task, pool, replica)
    }
    if (taken) pool.reportDepth()
  }

  /**
   * Calls the engine for a task whose acceptance goes to disk now, where a slot is free and nobody without one waits for it. The run has to become
   * durable with the acceptance, and nothing of the call goes out before `take` gives it to the task.
   */
  callEarly(task: LiveTask, pool: Pool<LiveTask>): EarlyCall | undefined {
    if (this.stopping || pool.scheduler.depth() - pool.early > 1 || task.accepted.request.workload !== 'completion') return undefined
    const replica = chooseReplica(pool, task)
    const mode = replica && modeIn(task, pool, replica.props)
    if (replica === undefined || mode === undefined) return undefined
    pool.early++
    return new EarlyCall(task, { replica, mode, began_at: this.parts.clock.now() })
  }

  /** The task that an early call was made for is accepted: it has its slot. */
  take(task: LiveTask, pool: Pool<LiveTask>, early: EarlyCall): void {
    pool.early--
    pool.scheduler.remove(task)
    this.begin(task, pool, early.run.replica, early)
  }

  /** The task that an early call was made for is not accepted. */
  drop(pool: Pool<LiveTask>, early: EarlyCall): void {
    pool.early--
    void early.drop(pool.config.timeouts.abort_ms, this.parts.clock)
  }

  /** What only time changes: how long tasks have waited, and what is known of runs that take long. */
  private keep(): void {
    const { pools, clock } = this.parts
    const facts: Fact[] = []
    for (const pool of pools.serving()) {
      pool.teller.age(clock.now())
      for (const task of pool.running) facts.push(...task.runs.keep(task.key))
    }
    this.write(facts)
  }

  private expire(pool: Pool<LiveTask>): void {
    const { clock, settlement } = this.parts
    for (const task of pool.scheduler.expired(clock.now())) {
      if (!pool.scheduler.remove(task) || !task.claim(false)) continue
      const error = new StreamError('expired', `The task waited until its deadline of ${task.accepted.request.deadline_ms} ms.`)
      settlement.settleSoon(task, { kind: 'error', error, reason: 'deadline' })
      pool.reportDepth()
    }
  }

  private begin(task: LiveTask, pool: Pool<LiveTask>, replica: Replica, early?: EarlyCall): void {
    const { clock, events } = this.parts
    const now = clock.now()
    const exhausted = (): void => {
      task.abort.abort(new DomainError('budget_exhausted', 'The time budget of the session or the key ran out.'))
    }
    const turn = task.dispatch(replica.id, now, exhausted)
    pool.running.add(task)
    if (early === undefined) replica.acquire()
    events.emit({
      type: 'task_started',
      task: placeOf(task),
      queue_ms: Math.round(now - task.accepted_on),
      again: early === undefined && task.attempts > 0,
    })
    void this.run(task, replica, turn, early)
  }

  /**
   * Runs the task, again if its engine fails and nothing is lost by it: on another replica, on the same one, or from the queue of a pool that can
   * take it. Never rejects.
   * @param turn facts of its dispatch
   */
  private async run(task: LiveTask, first: Replica, turn: readonly Fact[], early: EarlyCall | undefined): Promise<void> {
    let ending: Ending | Failed | undefined
    let [facts, call] = [turn, early]
    for (let replica: Replica | undefined = first; replica !== undefined;) {
      const here: Replica = replica
      let held = true
      const over = (): void => {
        if (!held) return
        held = false
        task.pool.running.delete(task)
        here.release()
      }
      ending = await this.runOn(task, here, { turn: facts, early: call, over })
      // One that did not come to a run has had others, and had no facts of its dispatch.
      ;[facts, call] = [[], undefined]
      const again: boolean = ending !== undefined && mayRetry(task, ending)
      if (ending?.kind === 'failed') task.runs.end(task.since(this.parts.clock.now()), runFailureOf(ending.cause))
      if (ending?.kind === 'failed' && again) this.tell(task, ending)
      if (wasBusy(ending)) task.runs.busy++
      replica = again ? nextReplica(task, here, wasBusy(ending)) : undefined
      replica?.acquire()
      if (replica === undefined) over()
      else here.release()
    }
    if (task.phase !== 'running') return
    const { pools, settlement, clock } = this.parts
    if (ending === undefined || mayRetry(task, ending)) {
      const pool = nextPool(task, pools, clock.now(), wasBusy(ending))
      if (pool !== undefined) {
        this.requeue(task, pool)
        return
      }
    }
    task.claim(false)
    settlement.settleSoon(task, ending?.kind === 'completed' || ending?.kind === 'error' ? ending : failureOf(task, ending?.cause))
  }

  /**
   * One run on a replica: alone on it after runs that failed, so that nobody is given up for what a neighbour did. Undefined where it did not
   * come to a run: somebody else has the replica for itself, or its engine has gone down meanwhile.
   */
  private async runOn(task: LiveTask, replica: Replica, call: Call): Promise<Ending | Failed | undefined> {
    if (task.attempts - task.runs.busy < aloneAfter) return attempt(task, replica, call, this.parts)
    const alone = replica.alone()
    if (alone === undefined) return undefined
    task.runs.alone_on = replica.id
    await Promise.race([alone, aborted(task.abort.signal)])
    task.runs.alone_on = undefined
    const mayRun = replica.state === 'ready' && task.phase === 'running'
    // It has more than a slot, and leaves both at once.
    const ending = mayRun ? await attempt(task, replica, { ...call, over: () => undefined }, this.parts) : undefined
    replica.share()
    return ending
  }

  /** Waits again, before all others of its class. */
  private requeue(task: LiveTask, pool: Pool<LiveTask>): void {
    const facts = [...task.requeue(), ...(pool === task.pool ? [] : task.moveTo(pool))]
    this.write(facts, () => task.session.unwritten(facts))
    pool.scheduler.requeue(task)
    this.parts.events.emit({ type: 'task_requeued', task: placeOf(task) })
    this.dispatch(pool)
    pool.reportDepth()
  }

  private tell(task: LiveTask, { cause: err }: Failed): void {
    const { correlation_id, task_id } = task.accepted
    const fields = { correlation_id, task_id, key_name: task.owner, ...task.pool.labels, replica_id: task.replica_id, err }
    const message = `Run ${task.attempts} of task ${task_id} failed; it goes on.`
    this.parts.events.emit({ type: 'notice', level: 'warn', event: 'failover', message, fields })
  }

  /** Makes facts durable without waiting: later commits are durable only after these. */
  private write(facts: readonly Fact[], failed: () => void = () => undefined): void {
    if (facts.length === 0) return
    this.parts.journal.commit(facts).catch((err: unknown) => {
      const message = 'The journal cannot be written.'
      this.parts.events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
      failed()
    })
  }
}
