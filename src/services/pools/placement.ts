import { affordableTokens, type Remaining } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import { shapeOf, waiting } from '../../domain/prediction/work.ts'
import { startMs, type Start } from '../../domain/prediction/forecast.ts'
import type { Outlook } from '../../domain/prediction/outlook.ts'
import { sizeIn, type TaskSize } from '../../domain/task-defaults.ts'
import type { TaskDraft } from '../../domain/task.ts'
import { poolsIn, type Candidates } from './candidates.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { PromptTokens } from './prompt-tokens.ts'
import { tooLarge, notReady } from './refusals.ts'
import { onDevices } from './replica-choice.ts'

/** Where a task goes, and what it finds there. */
export interface PlacementChoice<T extends PoolTask = PoolTask> {
  readonly pool: Pool<T>
  /** Tasks ahead. */
  readonly position: number
  readonly start: Start
  /** What that rests on. */
  readonly outlook: Outlook
  /** None of the pools that come first took it. */
  readonly fallback: boolean
  /** Tokens of its prompt, as this pool counts them. */
  readonly prompt_tokens: number
  /** What the task has in this pool, tokens. */
  readonly size: TaskSize
}

/** A task that seeks a place. */
export interface Seeker {
  readonly owner: string
  readonly request: TaskDraft
  readonly tokens: PromptTokens
  /** Until its deadline, ms. */
  readonly left_ms: number
  /** What its budgets have left; the most it may generate if it does not say. */
  readonly budget?: Remaining
  /** The most it generates if it does not say, tokens. */
  readonly most_tokens?: number | undefined
  /** What else goes to a pool and is not in its queue yet. */
  readonly coming?: (pool: Pool) => Coming
}

/** Tasks that go to a pool, and their expected service time, ms. */
export interface Coming {
  readonly tasks: number
  readonly work_ms: number
}

/**
 * The pool of the first tier that takes the task: the one with the earliest predicted start, or the first in the tier's order. A full pool is
 * taken only where all are.
 * @throws DomainError invalid_params where the task is too large, pool_unready and its like where nothing is up, deadline_unmet
 */
export function placeTask<T extends PoolTask>(seeker: Seeker, candidates: Candidates<T>): PlacementChoice<T> {
  const ready = feasible(seeker, poolsIn(candidates))
  const roomy = ready.filter(({ scheduler }) => scheduler.hasPlaceFor({ owner: seeker.owner, priority: seeker.request.priority }))
  const open = new Set(roomy.length > 0 ? roomy : ready)
  const late: Place<T>[] = []
  for (const { pools, inOrder, fallback } of candidates.tiers) {
    let best: Place<T> | undefined
    for (const pool of pools) {
      if (!open.has(pool)) continue
      const place = placeIn(seeker, pool, fallback)
      if (!place.inTime) late.push(place)
      else if (best === undefined || place.start.ms < best.start.ms) best = place
      if (inOrder && best !== undefined) break
    }
    if (best !== undefined) return best
  }
  throw tooLate(seeker, late)
}

const nobody: Coming = { tasks: 0, work_ms: 0 }

interface Place<T extends PoolTask> extends PlacementChoice<T> {
  readonly inTime: boolean
  /** How long the task would take, ms. */
  readonly service_ms: () => number
}

function placeIn<T extends PoolTask>(seeker: Seeker, pool: Pool<T>, fallback: boolean): Place<T> {
  const { owner, request, left_ms } = seeker
  const { priority } = request
  const prompt_tokens = seeker.tokens.in(pool) ?? Infinity
  const size = sizeFor(seeker, pool, prompt_tokens)
  const shape = shapeOf({ ...request, ...size, open: request.max_tokens === undefined }, prompt_tokens)
  const { estimator, scheduler, outlook } = pool
  const { tasks, work_ms } = seeker.coming?.(pool) ?? nobody
  const queued = scheduler.aheadOfNewcomer({ owner, priority })
  const ahead = { ...queued, position: queued.position + tasks, work_ms: queued.work_ms + work_ms }
  const start = pool.predictStart(ahead, priority, left_ms, outlook)
  return {
    ...{ pool, position: ahead.position, start, outlook, fallback, prompt_tokens, size },
    inTime: estimator.admits(outlook.onTimeProbability(start, shape, waiting, left_ms)),
    service_ms: () => outlook.serviceMs(shape),
  }
}

/** What the task has in a pool: no more than its budgets and its model's default let it generate where it does not say. */
function sizeFor({ request, budget = {}, most_tokens = Infinity }: Seeker, pool: Pool, prompt_tokens: number): TaskSize {
  return sizeIn(pool, request, prompt_tokens, Math.min(most_tokens, affordableTokens(budget, pool.config.prices, prompt_tokens)))
}

function tooLate({ request, left_ms }: Seeker, places: readonly Place<PoolTask>[]): DomainError {
  const ends = places.map((place) => [startMs(place.start), Math.ceil(place.service_ms())] as const)
  const [start_ms = 0, service_ms = 0] = ends.sort(([a, b], [c, d]) => a + b - c - d)[0] ?? []
  return new DomainError(
    'deadline_unmet',
    `body.deadline_ms: the task would start in about ${start_ms} ms and take about ${service_ms} ms; it has hardly a chance to end within ${left_ms} ms`,
    request.engine === undefined ? {} : { engine: request.engine },
  )
}

/** The pools that fit the task and are ready; says which rule left none. */
function feasible<T extends PoolTask>({ request, tokens }: Seeker, all: readonly Pool<T>[]): readonly Pool<T>[] {
  const { sampler_profile_version: profile, determinism } = request
  const fitting = all.filter((pool) => {
    const prompt_tokens = tokens.in(pool)
    if (prompt_tokens === undefined) return false
    const { ctx, max_tokens } = sizeIn(pool, request, prompt_tokens)
    return ctx <= pool.ctxMax && max_tokens >= 1 && prompt_tokens + max_tokens <= ctx && max_tokens <= pool.maxTokensOut
  })
  if (fitting.length === 0) throw tooLarge(request, all, tokens)
  const profiled = fitting.filter(({ config }) => profile === undefined || config.sampler_profile_version === profile)
  if (profiled.length === 0)
    throw new DomainError(
      'invalid_params',
      `body.sampler_profile_version: no pool for this task stands for ${String(profile)}; GET /v1/capabilities lists them`,
    )
  const replayable = profiled.filter(({ props }) => determinism !== 'strict' || props?.replayable !== false)
  if (replayable.length === 0)
    throw new DomainError(
      'invalid_params',
      'body.determinism: strict needs an engine that is replayable; GET /v1/capabilities lists features',
    )
  const ready = replayable.filter(
    (pool) =>
      pool.accepting &&
      pool.replicas.some((replica) => (replica.state === 'ready' || pool.seat !== undefined) && onDevices(replica, request)),
  )
  if (ready.length === 0) throw notReady(replayable)
  return ready
}
