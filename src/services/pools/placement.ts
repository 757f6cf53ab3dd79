import { DomainError } from '../../domain/errors.ts'
import { shapeOf, waiting } from '../../domain/prediction/estimator.ts'
import { startMs, type Start } from '../../domain/prediction/forecast.ts'
import type { TaskRequest } from '../../domain/task.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'
import { tooLarge, notReady } from './refusals.ts'
import type { Replica } from './replica.ts'

/** Pools a task may go to. */
export interface Candidates {
  /** Tried first: in this order with mode prefer, else all equal. */
  readonly first: readonly Pool[]
  /** Used where none of `first` takes the task. */
  readonly fallback: readonly Pool[]
  readonly pinned: boolean
}

/**
 * The pools that serve the task's engine and model and that its placement allows, ready or not.
 * @throws DomainError invalid_params for an unknown or unfitting pool, not_found where no pool serves the engine and model
 */
export function candidatesFor(request: TaskRequest, pools: Pools): Candidates {
  const { engine, model_ref, placement } = request
  const serving = pools.all().filter(({ config }) => config.engine === engine && config.model === model_ref)
  if (serving.length === 0)
    throw new DomainError(
      'not_found',
      `No pool serves model_ref ${model_ref} on engine ${engine}; GET /v1/capabilities lists what is served.`,
    )
  const allowed = placement === undefined ? serving : allowedBy(placement, serving, pools)
  if (placement?.mode === 'pin') {
    const pinned = allowed.filter(({ id }) => id === placement.pin_pool_id)
    if (pinned.length === 0)
      throw new DomainError(
        'invalid_params',
        `body.placement.pin_pool_id: pool ${placement.pin_pool_id} does not serve this engine and model, or the placement excludes it`,
      )
    if (!pinned.some((pool) => pool.supports(request.workload)))
      throw new DomainError(
        'invalid_params',
        `body.workload: pool ${placement.pin_pool_id} does no ${request.workload}; GET /v1/capabilities lists supported_workloads`,
      )
    return { first: pinned, fallback: [], pinned: true }
  }
  if (allowed.length === 0)
    throw new DomainError('invalid_params', 'body.placement: avoid_pools and require_device_mask leave no pool for this engine and model')
  const able = allowed.filter((pool) => pool.supports(request.workload))
  if (able.length === 0)
    throw new DomainError(
      'invalid_params',
      `body.workload: no pool does ${request.workload} with this engine and model; GET /v1/capabilities lists supported_workloads`,
    )
  if (placement?.mode !== 'prefer') return { first: able, fallback: [], pinned: false }
  const preferred = (placement.prefer_pools ?? []).flatMap((id) => able.filter((pool) => pool.id === id))
  const rest = placement.allow_fallback === false ? [] : able.filter((pool) => !preferred.includes(pool))
  if (preferred.length + rest.length === 0)
    throw new DomainError('invalid_params', 'body.placement.prefer_pools: none of these pools serves the task, and allow_fallback is false')
  return { first: preferred, fallback: rest, pinned: false }
}

function allowedBy(placement: NonNullable<TaskRequest['placement']>, serving: readonly Pool[], pools: Pools): readonly Pool[] {
  const { pin_pool_id, prefer_pools = [], avoid_pools = [], require_device_mask: mask = [] } = placement
  for (const [field, ids] of [
    ['pin_pool_id', pin_pool_id === undefined ? [] : [pin_pool_id]],
    ['prefer_pools', prefer_pools],
    ['avoid_pools', avoid_pools],
  ] as const)
    for (const id of ids)
      if (pools.find(id) === undefined) throw new DomainError('invalid_params', `body.placement.${field}: there is no pool ${id}`)
  return serving.filter(
    ({ id, replicas }) => !avoid_pools.includes(id) && replicas.some(({ devices }) => mask.every((device) => devices.includes(device))),
  )
}

/** Where a task goes, and what it finds there. */
export interface PlacementChoice {
  readonly pool: Pool
  /** Tasks ahead. */
  readonly position: number
  readonly start: Start
  /** None of the preferred pools took it. */
  readonly fallback: boolean
}

/**
 * The first preferred pool that can take the task, else the one with the earliest predicted start. A full pool is taken only where all are.
 * @param left_ms until its deadline
 * @throws DomainError invalid_params where the task is too large, pool_unready and its like where nothing is up, deadline_unmet
 */
export function placeTask(
  owner: string,
  request: TaskRequest,
  candidates: Candidates,
  prompt_tokens: number,
  left_ms = request.deadline_ms,
): PlacementChoice {
  const ready = feasible(request, [...candidates.first, ...candidates.fallback], prompt_tokens)
  const newcomer = { owner, priority: request.priority }
  const roomy = ready.filter(({ scheduler }) => scheduler.hasPlaceFor(newcomer))
  const places = (roomy.length > 0 ? roomy : ready).map((pool): PlacementChoice => {
    const ahead = pool.scheduler.aheadOfNewcomer(newcomer)
    return { pool, position: ahead.position, start: pool.predictStart(ahead, request.priority), fallback: !candidates.first.includes(pool) }
  })
  const shape = shapeOf(request, prompt_tokens)
  const inTime = places.filter(({ pool: { estimator }, start }) =>
    estimator.admits(estimator.onTimeProbability(start, shape, waiting, left_ms)),
  )
  const preferred = request.placement?.mode === 'prefer' ? inTime.find(({ fallback }) => !fallback) : undefined
  const best =
    preferred ??
    inTime.reduce<PlacementChoice | undefined>(
      (least, place) => (least === undefined || place.start.ms < least.start.ms ? place : least),
      undefined,
    )
  if (best !== undefined) return best
  const ends = places.map(({ pool, start }) => [startMs(start), Math.ceil(pool.estimator.serviceMs(shape))] as const)
  const [start_ms = 0, service_ms = 0] = ends.sort(([a, b], [c, d]) => a + b - c - d)[0] ?? []
  throw new DomainError(
    'deadline_unmet',
    `body.deadline_ms: the task would start in about ${start_ms} ms and take about ${service_ms} ms; it has hardly a chance to end within ${left_ms} ms`,
    { engine: request.engine },
  )
}

/** The pools that fit the task and are ready; says which rule left none. */
function feasible(request: TaskRequest, all: readonly Pool[], prompt_tokens: number): readonly Pool[] {
  const { ctx, max_tokens, sampler_profile_version: profile, determinism } = request
  const fitting = all.filter((pool) => ctx <= pool.ctxMax && prompt_tokens + max_tokens <= ctx && max_tokens <= pool.maxTokensOut)
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
