import { digestOf } from '../../domain/artifact.ts'
import type { EventSink, TaskIdentity } from '../../domain/daemon-events.ts'
import { DomainError, StreamError } from '../../domain/errors.ts'
import { once } from '../../domain/once.ts'
import { OwnedMap } from '../../domain/owned-map.ts'
import { startMs } from '../../domain/prediction/forecast.ts'
import type { Part } from '../../domain/stream/part.ts'
import type { Principal } from '../../domain/principal.ts'
import { filledOf } from '../../domain/task-defaults.ts'
import {
  headOf,
  type AcceptedTask,
  type TaskAcceptedReply,
  type TaskDraft,
  type TaskRequest,
  type TaskSpec,
  type UnfinishedTask,
} from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { DuplicateTaskError, StorageError, type Fact, type Journal } from '../../ports/journal.ts'
import type { CreationLimits } from '../creation-limits.ts'
import { KeyedPlaces } from '../keyed-places.ts'
import { candidatesFor, poolsIn, servable, type Candidates } from '../pools/candidates.ts'
import { placeTask } from '../pools/placement.ts'
import { withoutExtras } from '../pools/extras.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { queueFull } from '../pools/refusals.ts'
import type { PromptTokens } from '../pools/prompt-tokens.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { repeated, replyOf } from './accepted-reply.ts'
import { countsOfKey, countTokens } from './count-tokens.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { DoorRules } from './door-rules.ts'
import { draftFor, type DraftParts } from './draft.ts'
import type { KeyLimits } from './key-limits.ts'
import { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import type { PreparedEnd, Settlement } from './settlement.ts'
import { placeOf } from './progress.ts'
import { refused } from './refused.ts'
import { needOf } from './task-need.ts'

/** What admission works with. */
export interface AdmissionParts extends DraftParts {
  readonly pools: Pools<LiveTask>
  readonly live: LiveTasks
  readonly sessions: Sessions
  readonly keyLimits: KeyLimits
  readonly creation: Pick<CreationLimits, 'countRequest' | 'checkRoom'>
  readonly dispatcher: Dispatcher
  readonly settlement: Settlement
  readonly journal: Pick<Journal, 'commit' | 'look'>
  readonly clock: Clock
  readonly events: EventSink
  /** A seed for a task that brings none, 0 to 2^32 - 1. */
  readonly drawSeed: () => number
  /** An id for a task that brings none, unique. */
  readonly drawId: () => string
}

/** How a request is taken. */
interface Taking {
  /** Of the request, where its client gave it an id. Most requests are refused without it. */
  readonly digest: () => string | undefined
  readonly door: DoorRules | undefined
  /** It takes the place of the task that it repeats. */
  readonly anew?: boolean
}

/** The one way in: admits a task durably, or says why not. */
export class Admission {
  private readonly parts: AdmissionParts
  /** Requests being admitted, by id: a twin waits for the same commit, and another request with the id for what becomes of it. */
  private readonly flying = new OwnedMap<{ readonly digest: Taking['digest']; readonly reply: Promise<TaskAcceptedReply> }>()
  private readonly counting = new KeyedPlaces(countsOfKey)
  private closed = false

  constructor(parts: AdmissionParts) {
    this.parts = parts
  }

  /** Admits nothing from now on: the daemon stops. */
  close(): void {
    this.closed = true
  }

  /**
   * Admits a task; the same `task_id` and body again give the same reply, unless the task has ended in a way that trying again may help: then
   * it is taken anew. Resolves when the acceptance is durable.
   * @throws DomainError every refusal
   */
  async admit({ name: owner }: Principal, request: TaskRequest, correlation_id: string, door?: DoorRules): Promise<TaskAcceptedReply> {
    const task_id = request.task_id ?? this.parts.drawId()
    // Nobody can send an id again that is drawn here.
    const digest = request.task_id === undefined ? () => undefined : once(() => digestOf(request))
    for (let other = this.flying.get(owner, task_id); other !== undefined; other = this.flying.get(owner, task_id)) {
      if (other.digest() === digest()) return other.reply
      // Only a task that is accepted takes the id; if that one is refused, this one is judged by itself.
      await other.reply.catch(() => undefined)
    }
    const known = this.parts.live.of(owner, task_id)?.accepted
    if (known !== undefined) return repeated(known, digest())
    const identity = { correlation_id, task_id, session_id: request.session_id ?? task_id, owner }
    const how = { digest, door }
    const reply = this.accept(identity, request, how).catch((error: unknown) => this.refuse(identity, request, how, error))
    const flight = { digest, reply }
    this.flying.set(owner, task_id, flight)
    return reply.finally(() => this.flying.delete(owner, task_id, flight))
  }

  /**
   * Tokens of the prompt of a request that makes no task: it neither queues nor counts against a limit.
   * @throws DomainError every refusal that does not depend on what there is room for
   */
  async count({ name: owner }: Principal, sent: TaskRequest): Promise<number> {
    const { draft } = draftFor({ owner, task_id: 'counted' }, withoutExtras(owner, sent, this.parts), this.parts)
    const candidates = this.candidates(draft)
    const tokens = await this.counted(owner, draft, candidates)
    return Math.max(...poolsIn(candidates).map((pool) => tokens.in(pool) ?? 0))
  }

  /** Takes a task in that was accepted before a restart; it is queued, but not in the queue yet. @param recorded parts that are in the journal */
  restore({ head, attempts }: UnfinishedTask, pool: Pool<LiveTask>, recorded: readonly Part[], accepted_on: number): LiveTask {
    const need = needOf(head, head.prompt_tokens, pool)
    const reservation = this.parts.sessions.reserve(head.owner, head.session_id, need, attempts === undefined ? 'accepted' : 'dispatched')
    const task = new LiveTask(head, pool, reservation, accepted_on)
    task.restore(attempts, recorded, this.parts.clock.now())
    this.parts.live.add(task)
    return task
  }

  private async accept(identity: TaskIdentity, sent: TaskRequest, { digest, door, anew = false }: Taking): Promise<TaskAcceptedReply> {
    const { sessions, keyLimits, creation, live, dispatcher, clock, events, drawSeed } = this.parts
    const { owner, task_id, correlation_id } = identity
    this.checkOpen()
    if (!anew && door?.background !== true) creation.countRequest(owner)
    creation.checkRoom(owner)
    const request = door === undefined ? sent : withoutExtras(owner, sent, this.parts)
    const { draft, most_tokens } = draftFor(identity, request, this.parts)
    const tokens = await this.counted(owner, draft, this.candidates(draft))
    // No await from here to the commit: nothing may change between the checks and the reservations. Until here a pool may have been reloaded.
    this.checkOpen()
    const candidates = this.candidates(draft)
    events.emit({ type: 'task_placed', candidates: poolsIn(candidates).length })
    const budget = sessions.allowance(owner, draft.session_id)
    const seeker = { owner, request: draft, tokens, left_ms: draft.deadline_ms, budget, most_tokens: door?.most_tokens ?? most_tokens }
    const { pool, position, start, outlook, fallback, prompt_tokens, size } = placeTask(seeker, candidates)
    if (door?.background === true && pool.scheduler.depth() * 2 >= pool.config.queue.capacity) throw queueFull(pool)
    const spec: TaskSpec = { ...draft, engine: pool.config.engine, ...size }
    keyLimits.checkWaiting(owner)
    const kind = door && (door.background === true ? 'passing' : 'lasting')
    const need = needOf(spec, prompt_tokens, pool)
    if (!pool.scheduler.hasPlaceFor({ owner, priority: spec.priority })) {
      // A budget that is used up is told first: to come again later does not help.
      sessions.check(owner, spec.session_id, need, kind)
      throw queueFull(pool, outlook)
    }
    // Before the reservation, which nobody would give back: what has no digest is refused.
    const sent_digest = digest()
    const reservation = sessions.reserve(owner, spec.session_id, need, kind)
    const [accepted_on, start_ms] = [Math.floor(clock.now()), startMs(start)]
    const accepted: AcceptedTask = {
      ...{ owner, task_id, request: spec, filled: filledOf(request, spec), seed: request.seed ?? drawSeed(), prompt_tokens },
      ...tokens.kept,
      ...(pool.config.model === spec.model_ref ? {} : { served: pool.config.model }),
      ...{ pool_id: pool.id, accepted_at: Math.floor(clock.wallOf(accepted_on)), correlation_id },
      ...{ queue_position: position, predicted_start_ms: start_ms, prediction_basis: outlook.basis, backoff_ms: start_ms },
      ...(door?.kept === undefined ? {} : { kept: door.kept }),
      ...(sent_digest === undefined ? {} : { digest: sent_digest }),
    }
    const task = new LiveTask(headOf(accepted), pool, reservation, accepted_on)
    const displaced = pool.scheduler.admit(task)
    live.add(task)
    // An id that was sent may be that of a task that has ended, which only the commit finds out: that one is not run again.
    const mayCall = request.task_id === undefined && displaced === undefined
    const early = mayCall ? dispatcher.callEarly(task, pool) : undefined
    const begin = (): void => {
      events.emit({ type: 'task_queued', task: placeOf(task), pinned: candidates.pinned, fallback })
      if (early === undefined) dispatcher.dispatch(pool)
      else dispatcher.take(task, pool, early)
    }
    await this.commit(task, task.acceptance(anew, early?.run), displaced, begin).catch((error: unknown) => {
      if (early !== undefined) dispatcher.drop(pool, early)
      throw error
    })
    pool.reportDepth()
    return replyOf(accepted)
  }

  private counted(owner: string, draft: TaskDraft, candidates: Candidates<LiveTask>): Promise<PromptTokens> {
    return this.counting.run(owner, () => countTokens(draft, candidates, this.parts))
  }

  private candidates(draft: TaskDraft): Candidates<LiveTask> {
    const { pools, models } = this.parts
    return servable(candidatesFor(draft, pools), (model) => models.refusal(model))
  }

  /**
   * Acceptance and the fate of a displaced task in one transaction; taken back as a whole where it fails.
   * @param begin called in the moment in which the task is accepted: nobody else may take what has its slot already
   */
  private async commit(task: LiveTask, facts: readonly Fact[], displaced: LiveTask | undefined, begin: () => void): Promise<void> {
    const { journal, live, dispatcher, settlement } = this.parts
    const { pool } = task
    let end: PreparedEnd | undefined
    if (displaced !== undefined) {
      displaced.claim(true)
      const details = { retry_after_ms: pool.retryAfterMs() }
      const error = new StreamError('displaced', 'The queue was full and a newer task took this place.', details)
      end = settlement.prepare(displaced, { kind: 'error', error, reason: 'displaced' })
    }
    try {
      await journal.commit([...facts, ...(end?.facts ?? [])])
    } catch (error) {
      pool.scheduler.rollback(task)
      live.delete(task)
      task.abandon()
      displaced?.unclaim()
      // A slot may have become free while the newcomer stood in the way.
      dispatcher.dispatch(pool)
      pool.reportDepth()
      throw error
    }
    pool.scheduler.confirm(task)
    pool.estimator.arrived(task.priority, task.work_ms, task.accepted_on)
    task.accept()
    end?.publish()
    begin()
  }

  private checkOpen(): void {
    if (this.closed) throw new DomainError('pool_unready', 'The daemon is stopping.', { retry_after_ms: 5000 })
  }

  /** A refused request may be the repetition of a task that has ended: that one's reply holds, unless it may be taken anew. */
  private async refuse(task: TaskIdentity, request: TaskRequest, how: Taking, error: unknown): Promise<TaskAcceptedReply> {
    const { digest, door } = how
    const { journal, events, pools } = this.parts
    const twin = error instanceof StorageError ? undefined : await journal.look(task.owner, task.task_id).catch(() => undefined)
    const reply = twin && repeated(twin.task, digest())
    if (reply !== undefined && twin?.outcome?.error?.retriable !== true) return reply
    if (reply !== undefined && error instanceof DuplicateTaskError)
      return this.accept(task, request, { ...how, anew: true }).catch((refusal: unknown) => this.refuse(task, request, how, refusal))
    if (!(error instanceof DomainError) || (door?.background === true && error.retriable)) throw error
    events.emit(refused(task, request, error, pools))
    throw error
  }
}
