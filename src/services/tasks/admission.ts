import { checkWellFormed, sameJson } from '../../domain/artifact.ts'
import type { EventSink, TaskIdentity } from '../../domain/daemon-events.ts'
import { DomainError, StreamError } from '../../domain/errors.ts'
import { startMs } from '../../domain/prediction/forecast.ts'
import type { Principal } from '../../domain/principal.ts'
import { checkTaskRequest } from '../../domain/task-rules.ts'
import { draftOf, filledOf } from '../../domain/task-defaults.ts'
import {
  headOf,
  taskKeyOf,
  type AcceptedTask,
  type TaskAcceptedReply,
  type TaskRequest,
  type TaskSpec,
  type UnfinishedTask,
} from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { StorageError, type Journal } from '../../ports/journal.ts'
import { candidatesFor, modelFor, placeTask } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { noCapacity, queueFull } from '../pools/refusals.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { repeated, replyOf } from './accepted-reply.ts'
import { countTokens } from './count-tokens.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { KeyLimits } from './key-limits.ts'
import { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import type { PreparedEnd, Settlement } from './settlement.ts'
import { placeOf } from './progress.ts'
import { needOf } from './task-need.ts'

/** Whether new tasks may name a model. */
export interface ModelCheck {
  /** @throws DomainError where they may not, and why */
  checkModel(model_ref: string): void
}

/** What admission works with. */
export interface AdmissionParts {
  readonly pools: Pools<LiveTask>
  readonly live: LiveTasks
  readonly sessions: Sessions
  readonly keyLimits: KeyLimits
  readonly models: ModelCheck
  readonly dispatcher: Dispatcher
  readonly settlement: Settlement
  readonly journal: Pick<Journal, 'commit' | 'find'>
  readonly clock: Clock
  readonly events: EventSink
  /** A seed for a task that brings none, 0 to 2^32 - 1. */
  readonly drawSeed: () => number
  /** An id for a task that brings none, unique. */
  readonly drawId: () => string
  /** Of a task that brings none, ms from acceptance. */
  readonly deadline_ms: number
}

/** What a door wants of a task beside its request. */
export interface AdmissionLimits {
  /** Of a task that does not say `max_tokens`: at most so many, and what the context and the budgets have left where that is less. */
  readonly most_tokens?: number
  /** It is a line of a batch: it counts against no rate, leaves half of the queue to others, and being told to wait is no refusal. */
  readonly background?: boolean
}

/** The one way in: admits a task durably, or says why not. */
export class Admission {
  private readonly parts: AdmissionParts
  /** Requests being admitted, so that a twin waits for the same commit. */
  private readonly flying = new Map<string, { readonly request: TaskRequest; readonly reply: Promise<TaskAcceptedReply> }>()
  private closed = false

  constructor(parts: AdmissionParts) {
    this.parts = parts
  }

  /** Admits nothing from now on: the daemon stops. */
  close(): void {
    this.closed = true
  }

  /**
   * Admits a task; the same `task_id` and body again give the same reply. Resolves when the acceptance is durable.
   * @throws DomainError every refusal
   */
  async admit(
    principal: Principal,
    request: TaskRequest,
    correlation_id: string,
    limits: AdmissionLimits = {},
  ): Promise<TaskAcceptedReply> {
    const task_id = request.task_id ?? this.parts.drawId()
    const id = taskKeyOf(principal.name, task_id)
    checkWellFormed(request)
    const flying = this.flying.get(id)
    const live = this.parts.live.get(id)?.accepted
    if (flying !== undefined) {
      if (sameJson(flying.request, request)) return flying.reply
      // Only a task that is accepted takes the id; if that one is refused, this one is judged by itself.
      await flying.reply.catch(() => undefined)
      return this.admit(principal, request, correlation_id, limits)
    }
    if (live !== undefined) return repeated(live, request)
    const identity = { correlation_id, task_id, session_id: request.session_id ?? task_id, owner: principal.name }
    const reply = this.accept(identity, request, limits).catch((error: unknown) => this.refuse(identity, request, error, limits))
    this.flying.set(id, { request, reply })
    try {
      return await reply
    } finally {
      this.flying.delete(id)
    }
  }

  /**
   * Tokens of the prompt of a request that makes no task: it neither queues nor counts against a limit.
   * @throws DomainError every refusal that does not depend on what there is room for
   */
  async count(principal: Principal, request: TaskRequest): Promise<number> {
    const { pools, keyLimits, models, deadline_ms, clock, events } = this.parts
    checkWellFormed(request)
    const priority = keyLimits.topPriority(principal.name)
    const draft = draftOf(request, { task_id: 'counted', model_ref: modelFor(request, pools), priority, deadline_ms })
    checkTaskRequest(draft)
    models.checkModel(draft.model_ref)
    return countTokens(draft, candidatesFor(draft, pools), clock, events)
  }

  /** Takes a task in that was accepted before a restart; it is queued, but not in the queue yet. */
  restore({ head, attempts }: UnfinishedTask, pool: Pool<LiveTask>): LiveTask {
    const need = needOf(head, head.prompt_tokens, pool)
    const reservation = this.parts.sessions.reserve(head.owner, head.session_id, need, attempts === undefined ? 'accepted' : 'dispatched')
    const task = new LiveTask(head, pool, reservation)
    task.restore(attempts)
    this.parts.live.add(task)
    return task
  }

  private async accept(
    identity: TaskIdentity,
    request: TaskRequest,
    { most_tokens, background = false }: AdmissionLimits,
  ): Promise<TaskAcceptedReply> {
    const { pools, sessions, keyLimits, live, dispatcher, clock, events, drawSeed } = this.parts
    const { owner, correlation_id } = identity
    this.checkOpen()
    if (!background) keyLimits.countRequest(owner, clock.now())
    const { task_id } = identity
    const { deadline_ms } = this.parts
    const draft = draftOf(request, { task_id, model_ref: modelFor(request, pools), priority: keyLimits.topPriority(owner), deadline_ms })
    keyLimits.checkPriority(owner, draft.priority)
    checkTaskRequest(draft)
    this.parts.models.checkModel(draft.model_ref)
    const prompt_tokens = await countTokens(draft, candidatesFor(draft, pools), clock, events)
    // No await from here to the commit: nothing may change between the checks and the reservations.
    this.checkOpen()
    this.parts.models.checkModel(draft.model_ref)
    // A pool may have been reloaded while the tokens were counted.
    const candidates = candidatesFor(draft, pools)
    events.emit({ type: 'task_placed', candidates: candidates.first.length + candidates.fallback.length })
    const budget = sessions.allowance(owner, draft.session_id)
    const seeker = { owner, request: draft, prompt_tokens, left_ms: draft.deadline_ms, budget, most_tokens }
    const { pool, position, start, fallback, size } = placeTask(seeker, candidates)
    if (background && pool.scheduler.depth() * 2 >= pool.config.queue.capacity) throw queueFull(pool, 'queue_full')
    const spec: TaskSpec = { ...draft, engine: pool.config.engine, ...size }
    keyLimits.checkWaiting(owner)
    const reservation = sessions.reserve(owner, spec.session_id, needOf(spec, prompt_tokens, pool))
    const accepted_at = Math.floor(clock.now())
    const start_ms = startMs(start)
    const numbers = { queue_position: position, predicted_start_ms: start_ms, backoff_ms: start_ms }
    const seed = request.seed ?? drawSeed()
    const filled = filledOf(request, spec)
    const accepted: AcceptedTask = {
      owner,
      task_id,
      request: spec,
      filled,
      seed,
      prompt_tokens,
      pool_id: pool.id,
      accepted_at,
      correlation_id,
      ...numbers,
    }
    const task = new LiveTask(headOf(accepted), pool, reservation)
    const admission = pool.scheduler.admit(task)
    if (!admission.admitted) {
      task.abandon()
      throw queueFull(pool, admission.reason)
    }
    live.add(task)
    await this.commit(task, pool, admission.displaced)
    events.emit({ type: 'task_queued', task: placeOf(task), pinned: candidates.pinned, fallback })
    dispatcher.dispatch(pool)
    pool.reportDepth()
    return replyOf(accepted)
  }

  /** Acceptance, its reservations and the fate of a displaced task in one transaction; taken back as a whole where it fails. */
  private async commit(task: LiveTask, pool: Pool<LiveTask>, displaced: LiveTask | undefined): Promise<void> {
    const { journal, live, dispatcher, settlement } = this.parts
    let end: PreparedEnd | undefined
    if (displaced !== undefined) {
      displaced.claim(true)
      const details = { retry_after_ms: pool.retryAfterMs }
      const error = new StreamError('displaced', 'The queue was full and a newer task took this place.', details)
      end = settlement.prepare(displaced, { kind: 'error', error, reason: 'displaced' })
    }
    try {
      await journal.commit([...task.acceptance(), ...(end?.facts ?? [])])
    } catch (error) {
      pool.scheduler.rollback(task)
      live.delete(task)
      task.abandon()
      displaced?.unclaim()
      // A slot may have become free while the newcomer stood in the way.
      dispatcher.dispatch(pool)
      throw error
    }
    pool.scheduler.confirm(task)
    pool.estimator.arrived(task.priority, task.work_ms, task.accepted.accepted_at)
    task.accept()
    end?.publish()
  }

  private checkOpen(): void {
    if (this.closed) throw new DomainError('pool_unready', 'The daemon is stopping.', { retry_after_ms: 5000 })
  }

  /** A refused request may be the repetition of a task that has finished: that one's reply holds. */
  private async refuse(task: TaskIdentity, request: TaskRequest, error: unknown, limits: AdmissionLimits): Promise<TaskAcceptedReply> {
    const { journal, events, pools } = this.parts
    const twin = error instanceof StorageError ? undefined : await journal.find(task.owner, task.task_id).catch(() => undefined)
    if (twin !== undefined) return repeated(twin.task, request)
    if (!(error instanceof DomainError) || (limits.background === true && error.retriable)) throw error
    events.emit({
      type: 'task_refused',
      task,
      model_ref: pools.all().find(({ config }) => config.model === request.model_ref)?.config.model ?? 'unknown',
      engine: request.engine ?? error.details.engine ?? 'none',
      error: { code: error.code, message: error.message, cause: error.cause },
      no_capacity: noCapacity.has(error.kind),
      pinned: request.placement?.mode === 'pin',
      policy: error.details.policy_label,
    })
    throw error
  }
}
