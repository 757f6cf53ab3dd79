import { DomainError, StreamError } from '../../domain/errors.ts'
import type { Fact } from '../../ports/journal.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { chooseReplica, fitsNow } from '../pools/replica-choice.ts'
import type { Replica } from '../pools/replica.ts'
import { attempt, failureOf, mayRetry, type AttemptParts } from './attempt.ts'
import type { LiveTask } from './live-task.ts'
import type { Settlement } from './settlement.ts'
import { placeOf } from './progress.ts'

/** What the dispatcher works with. */
export interface DispatcherParts extends AttemptParts {
  readonly pools: Pools<LiveTask>
  readonly settlement: Settlement
}

/** How often queued tasks are looked at whose deadline has passed, ms. */
const expiry_ms = 100

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
    const cancel = clock.every(expiry_ms, () => {
      for (const pool of pools.serving()) this.expire(pool)
    })
    return () => {
      this.stopping = true
      cancel()
    }
  }

  /** Fills the pool's free slots from its queue. */
  dispatch(pool: Pool<LiveTask>): void {
    if (this.stopping) return
    let taken = false
    for (;;) {
      if (!pool.replicas.some(({ hasFreeSlot }) => hasFreeSlot)) break
      const task = pool.scheduler.next((waiting) => fitsNow(pool, waiting))
      const replica = task === undefined ? undefined : chooseReplica(pool, task)
      if (task === undefined || replica === undefined) break
      taken = true
      this.begin(task, pool, replica)
    }
    if (taken) pool.reportDepth()
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

  private begin(task: LiveTask, pool: Pool<LiveTask>, replica: Replica): void {
    const { clock, events } = this.parts
    const now = clock.now()
    const exhausted = (): void => {
      task.abort.abort(new DomainError('budget_exhausted', 'The time budget of the session or the key ran out.'))
    }
    const turn = task.dispatch(replica.id, now, exhausted)
    pool.running.add(task)
    replica.acquire()
    events.emit({ type: 'task_started', task: placeOf(task), queue_ms: Math.round(now - task.accepted.accepted_at) })
    void this.run(task, pool, replica, turn)
  }

  /** Runs the task, again if its engine fails and nothing is lost by it. Never rejects. @param turn facts of its dispatch */
  private async run(task: LiveTask, pool: Pool<LiveTask>, replica: Replica, turn: readonly Fact[]): Promise<void> {
    const { settlement, events } = this.parts
    let ending = await attempt(task, replica, turn, this.parts)
    while (mayRetry(task, ending) && replica.state === 'ready') ending = await attempt(task, replica, [], this.parts)
    pool.running.delete(task)
    replica.release()
    if (task.phase !== 'running') return
    if (mayRetry(task, ending)) {
      this.write(task.requeue())
      pool.scheduler.requeue(task)
      events.emit({ type: 'task_requeued', task: placeOf(task) })
      this.dispatch(pool)
      return
    }
    task.claim(false)
    settlement.settleSoon(task, ending.kind === 'failed' ? { kind: 'error', error: failureOf(task, ending) } : ending)
  }

  /** Makes facts durable without waiting: later commits are durable only after these. */
  private write(facts: readonly Fact[]): void {
    if (facts.length === 0) return
    this.parts.journal.commit(facts).catch((err: unknown) => {
      const message = 'The journal cannot be written.'
      this.parts.events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    })
  }
}
