import { affordableTokens, type Remaining } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import { shapeOf, waiting, type WorkShape } from '../../domain/prediction/estimator.ts'
import { startMs, type Start } from '../../domain/prediction/forecast.ts'
import { featuresOf } from '../../domain/chat.ts'
import { sizeIn, type TaskSize } from '../../domain/task-defaults.ts'
import type { Feature, TaskDraft, TaskRequest } from '../../domain/task.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'
import { tooLarge, notReady } from './refusals.ts'
import type { Replica } from './replica.ts'

/** Pools a task may go to. */
export interface Candidates<T extends PoolTask = PoolTask> {
  /** Tried first: in this order with mode prefer, else all equal. */
  readonly first: readonly Pool<T>[]
  /** Used where none of `first` takes the task. */
  readonly fallback: readonly Pool<T>[]
  readonly pinned: boolean
}

/**
 * The model of a task that may name none: the pinned pool's, else the only one served on its engine.
 * @throws DomainError invalid_params where that is not one model, not_found where nothing is on its engine
 */
export function modelFor({ model_ref, engine, placement }: TaskRequest, pools: Pick<Pools, 'all' | 'find'>): string {
  if (model_ref !== undefined) return model_ref
  const pin = placement?.pin_pool_id
  if (pin !== undefined) return (pools.find(pin) ?? noSuchPool('pin_pool_id', pin)).config.model
  const serving = pools.all().filter(({ config }) => engine === undefined || config.engine === engine)
  const [only, ...others] = new Set(serving.map(({ config }) => config.model))
  if (only === undefined)
    throw new DomainError('not_found', `No pool is on engine ${String(engine)}; GET /v1/capabilities lists what is served.`)
  if (others.length === 0) return only
  throw new DomainError('invalid_params', `body.model_ref: is required where several models are served: ${[only, ...others].join(', ')}`)
}

function noSuchPool(field: string, id: string): never {
  throw new DomainError('invalid_params', `body.placement.${field}: there is no pool ${id}`)
}

/** The pools that serve the engine and model of a request. */
export const servingOf = <T extends PoolTask>({ engine, model_ref }: TaskRequest, pools: Pick<Pools<T>, 'all'>): Pool<T>[] =>
  pools.all().filter(({ config }) => (engine === undefined || config.engine === engine) && config.model === model_ref)

/**
 * The pools that serve the task's engine and model and that its placement allows, ready or not.
 * @throws DomainError invalid_params for an unknown or unfitting pool, not_found where no pool serves the engine and model
 */
export function candidatesFor<T extends PoolTask>(request: TaskDraft, pools: Pools<T>): Candidates<T> {
  const { engine, model_ref, placement } = request
  const serving = servingOf(request, pools)
  const on = engine === undefined ? '' : ` on engine ${engine}`
  if (serving.length === 0)
    throw new DomainError('not_found', `No pool serves model_ref ${model_ref}${on}; GET /v1/capabilities lists what is served.`)
  const allowed = placement === undefined ? serving : allowedBy(placement, serving, pools)
  if (placement?.mode === 'pin') {
    const pinned = allowed.filter(({ id }) => id === placement.pin_pool_id)
    if (pinned.length === 0)
      throw new DomainError(
        'invalid_params',
        `body.placement.pin_pool_id: pool ${placement.pin_pool_id} does not serve this engine and model, or the placement excludes it`,
      )
    return { first: ableOf(request, pinned), fallback: [], pinned: true }
  }
  if (allowed.length === 0)
    throw new DomainError('invalid_params', 'body.placement: avoid_pools and require_device_mask leave no pool for this engine and model')
  const able = ableOf(request, allowed)
  if (placement?.mode !== 'prefer') return { first: able, fallback: [], pinned: false }
  const preferred = (placement.prefer_pools ?? []).flatMap((id) => able.filter((pool) => pool.id === id))
  const rest = placement.allow_fallback === false ? [] : able.filter((pool) => !preferred.includes(pool))
  if (preferred.length + rest.length === 0)
    throw new DomainError('invalid_params', 'body.placement.prefer_pools: none of these pools serves the task, and allow_fallback is false')
  return { first: preferred, fallback: rest, pinned: false }
}

/** The pools that can what the task asks for; says which field asks for something that none of them can. */
function ableOf<T extends PoolTask>(request: TaskDraft, pools: readonly Pool<T>[]): readonly Pool<T>[] {
  const which = pools.length === 1 ? `pool ${pools[0]?.id ?? ''} does no` : 'no pool for this model does'
  const working = pools.filter((pool) => pool.supports(request.workload))
  if (working.length === 0)
    throw new DomainError('invalid_params', `body.workload: ${which} ${request.workload}; GET /v1/capabilities lists supported_workloads`)
  let able = working
  for (const [feature, field] of featuresOf(request)) {
    able = able.filter((pool) => pool.can(feature))
    if (able.length === 0) throw lacking(feature, field, working)
  }
  return able
}

function lacking(feature: Feature, field: string, pools: readonly Pool[]): DomainError {
  const who = pools.length === 1 ? `pool ${pools[0]?.id ?? ''} does not have` : 'no pool for this task has'
  return new DomainError('invalid_params', `body.${field}: ${who} the feature ${feature}; GET /v1/capabilities lists features`)
}

function allowedBy<T extends PoolTask>(
  placement: NonNullable<TaskDraft['placement']>,
  serving: readonly Pool<T>[],
  pools: Pools<T>,
): readonly Pool<T>[] {
  const { pin_pool_id, prefer_pools = [], avoid_pools = [], require_device_mask: mask = [] } = placement
  for (const [field, ids] of [
    ['pin_pool_id', pin_pool_id === undefined ? [] : [pin_pool_id]],
    ['prefer_pools', prefer_pools],
    ['avoid_pools', avoid_pools],
  ] as const)
    for (const id of ids) if (pools.find(id) === undefined) noSuchPool(field, id)
  return serving.filter(
    ({ id, replicas }) => !avoid_pools.includes(id) && replicas.some(({ devices }) => mask.every((device) => devices.includes(device))),
  )
}

/** Where a task goes, and what it finds there. */
export interface PlacementChoice<T extends PoolTask = PoolTask> {
  readonly pool: Pool<T>
  /** Tasks ahead. */
  readonly position: number
  readonly start: Start
  /** None of the preferred pools took it. */
  readonly fallback: boolean
  /** What the task has in this pool, tokens. */
  readonly size: TaskSize
}

/** A task that seeks a place. */
export interface Seeker {
  readonly owner: string
  readonly request: TaskDraft
  readonly prompt_tokens: number
  /** Until its deadline, ms. */
  readonly left_ms: number
  /** What its budgets have left; the most it may generate if it does not say. */
  readonly budget?: Remaining
  /** The same of its door. */
  readonly most_tokens?: number | undefined
}

/**
 * The first preferred pool that can take the task, else the one with the earliest predicted start. A full pool is taken only where all are.
 * @throws DomainError invalid_params where the task is too large, pool_unready and its like where nothing is up, deadline_unmet
 */
export function placeTask<T extends PoolTask>(seeker: Seeker, candidates: Candidates<T>): PlacementChoice<T> {
  const { owner, request, prompt_tokens, left_ms, budget = {}, most_tokens = Infinity } = seeker
  const ready = feasible(request, [...candidates.first, ...candidates.fallback], prompt_tokens)
  const newcomer = { owner, priority: request.priority }
  const roomy = ready.filter(({ scheduler }) => scheduler.hasPlaceFor(newcomer))
  const places = (roomy.length > 0 ? roomy : ready).map((pool): PlacementChoice<T> => {
    const ahead = pool.scheduler.aheadOfNewcomer(newcomer)
    const start = pool.predictStart(ahead, request.priority)
    const size = sizeIn(pool, request, prompt_tokens, Math.min(most_tokens, affordableTokens(budget, pool.prices, prompt_tokens)))
    return { pool, position: ahead.position, start, fallback: !candidates.first.includes(pool), size }
  })
  const shape = ({ size }: PlacementChoice<T>): WorkShape =>
    shapeOf({ ...request, ...size, open: request.max_tokens === undefined }, prompt_tokens)
  const inTime = places.filter((place) => {
    const { estimator } = place.pool
    return estimator.admits(estimator.onTimeProbability(place.start, shape(place), waiting, left_ms))
  })
  const preferred = request.placement?.mode === 'prefer' ? inTime.find(({ fallback }) => !fallback) : undefined
  const best =
    preferred ??
    inTime.reduce<PlacementChoice<T> | undefined>(
      (least, place) => (least === undefined || place.start.ms < least.start.ms ? place : least),
      undefined,
    )
  if (best !== undefined) return best
  const ends = places.map((place) => [startMs(place.start), Math.ceil(place.pool.estimator.serviceMs(shape(place)))] as const)
  const [start_ms = 0, service_ms = 0] = ends.sort(([a, b], [c, d]) => a + b - c - d)[0] ?? []
  throw new DomainError(
    'deadline_unmet',
    `body.deadline_ms: the task would start in about ${start_ms} ms and take about ${service_ms} ms; it has hardly a chance to end within ${left_ms} ms`,
    request.engine === undefined ? {} : { engine: request.engine },
  )
}

/** The pools that fit the task and are ready; says which rule left none. */
function feasible<T extends PoolTask>(request: TaskDraft, all: readonly Pool<T>[], prompt_tokens: number): readonly Pool<T>[] {
  const { sampler_profile_version: profile, determinism } = request
  const fitting = all.filter((pool) => {
    const { ctx, max_tokens } = sizeIn(pool, request, prompt_tokens)
    return ctx <= pool.ctxMax && max_tokens >= 1 && prompt_tokens + max_tokens <= ctx && max_tokens <= pool.maxTokensOut
  })
  if (fitting.length === 0) throw tooLarge(request, all, prompt_tokens)
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
  const ready = replayable.filter((pool) => pool.accepting)
  if (ready.length === 0) throw notReady(replayable)
  return ready
}

/** Among a pool's ready replicas with a free slot: fewest busy slots, then the order of the configuration. */
export function chooseReplica(pool: Pool): Replica | undefined {
  let best: Replica | undefined
  for (const replica of pool.replicas) if (replica.hasFreeSlot && (best === undefined || replica.busy < best.busy)) best = replica
  return best
}
