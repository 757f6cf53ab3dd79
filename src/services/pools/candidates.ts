import { featuresOf } from '../../domain/chat.ts'
import { DomainError } from '../../domain/errors.ts'
import { near } from '../../domain/nearest.ts'
import type { Feature, TaskDraft } from '../../domain/task.ts'
import { onDevices } from './replica-choice.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'

/** Pools that are tried together, before those of the next tier. */
export interface Tier<T extends PoolTask = PoolTask> {
  readonly pools: readonly Pool<T>[]
  /** The first that takes the task gets it; else the one with the earliest predicted start. */
  readonly inOrder: boolean
  /** A task that comes here was taken by none of those that come first. */
  readonly fallback: boolean
}

/** Pools a task may go to, tier by tier; none of the tiers is empty. */
export interface Candidates<T extends PoolTask = PoolTask> {
  readonly tiers: readonly Tier<T>[]
  readonly pinned: boolean
}

/** All pools of the candidates, those that are tried first before the others. */
export function poolsIn<T extends PoolTask>({ tiers }: Candidates<T>): readonly Pool<T>[] {
  const [first] = tiers
  return tiers.length === 1 && first !== undefined ? first.pools : tiers.flatMap(({ pools }) => pools)
}

/** The candidates that are of some kind. */
export function candidatesWith<T extends PoolTask>({ tiers, pinned }: Candidates<T>, isOfKind: (pool: Pool<T>) => boolean): Candidates<T> {
  return { tiers: filled(tiers.map((tier) => ({ ...tier, pools: tier.pools.filter(isOfKind) }))), pinned }
}

const filled = <T extends PoolTask>(tiers: readonly Tier<T>[]): readonly Tier<T>[] => tiers.filter(({ pools }) => pools.length > 0)

/**
 * The candidates whose models may be served.
 * @param refusal why a model may not be, if so
 * @throws DomainError the refusal of the first, where all are refused
 */
export function servable<T extends PoolTask>(all: Candidates<T>, refusal: (model: string) => DomainError | undefined): Candidates<T> {
  const isServed = ({ config }: Pool): boolean => refusal(config.model) === undefined
  if (all.tiers.every(({ pools }) => pools.every(isServed))) return all
  const rest = candidatesWith(all, isServed)
  const [first] = rest.tiers.length > 0 ? [] : poolsIn(all).map(({ config }) => refusal(config.model))
  if (first !== undefined) throw first
  return rest
}

/** There is no pool of this id. @param field of the placement that names it */
export function noSuchPool(field: string, id: string): never {
  throw new DomainError('invalid_params', `body.placement.${field}: there is no pool ${id}`)
}

/** Most names that a message lists. */
const shown = 8

/** @param known the names that the one who asks may use */
export function noSuchModel(model_ref: string, known: readonly string[]): DomainError {
  const meant = near(model_ref, known).slice(0, 3)
  const others = known.length > shown ? `${known.slice(0, shown).join(', ')} and ${known.length - shown} more` : known.join(', ')
  const hint = meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : known.length > 0 ? `known are ${others}` : 'none is known'
  return new DomainError('not_found', `body.model_ref: there is no model ${model_ref}; ${hint}`)
}

/**
 * The pools that serve what the task's `model_ref` names, on its engine, and that its placement allows, ready or not: those of the name
 * first, then its fallback.
 * @throws DomainError invalid_params for an unknown or unfitting pool, not_found where no pool serves the engine and model
 */
export function candidatesFor<T extends PoolTask>(request: TaskDraft, pools: Pools<T>): Candidates<T> {
  const { engine, model_ref, placement } = request
  const model = pools.names.find(model_ref)
  if (model === undefined) throw noSuchModel(model_ref, [])
  const named = (ids: readonly string[]): Pool<T>[] =>
    ids
      .map((id) => pools.find(id))
      .filter((pool) => pool !== undefined)
      .filter(({ config }) => engine === undefined || config.engine === engine)
  const all: Candidates<T> = {
    tiers: filled([
      { pools: named(model.pools), inOrder: false, fallback: false },
      { pools: named(model.fallback), inOrder: false, fallback: true },
    ]),
    pinned: false,
  }
  if (all.tiers.length === 0)
    throw new DomainError('not_found', `No pool serves model_ref ${model_ref}${on(engine)}; GET /v1/capabilities lists what is served.`)
  if (placement === undefined) return ableOf(request, all)
  const allowed = allowedBy(placement, all, pools)
  if (placement.mode === 'pin') return ableOf(request, pinnedBy(placement, allowed))
  if (allowed.tiers.length === 0)
    throw new DomainError('invalid_params', 'body.placement: avoid_pools and require_device_mask leave no pool for this engine and model')
  const able = ableOf(request, allowed)
  return placement.mode === 'prefer' ? preferredBy(placement, able) : able
}

const on = (engine: string | undefined): string => (engine === undefined ? '' : ` on engine ${engine}`)

type Placement = NonNullable<TaskDraft['placement']>

function pinnedBy<T extends PoolTask>({ pin_pool_id }: Placement, allowed: Candidates<T>): Candidates<T> {
  const pools = poolsIn(allowed).filter(({ id }) => id === pin_pool_id)
  if (pools.length === 0)
    throw new DomainError(
      'invalid_params',
      `body.placement.pin_pool_id: pool ${String(pin_pool_id)} does not serve this engine and model, or the placement excludes it`,
    )
  return { tiers: [{ pools, inOrder: true, fallback: false }], pinned: true }
}

function preferredBy<T extends PoolTask>({ prefer_pools = [], allow_fallback }: Placement, able: Candidates<T>): Candidates<T> {
  const all = poolsIn(able)
  const preferred = prefer_pools.flatMap((id) => all.filter((pool) => pool.id === id))
  const rest = allow_fallback === false ? [] : candidatesWith(able, (pool) => !preferred.includes(pool)).tiers
  if (preferred.length + rest.length === 0)
    throw new DomainError('invalid_params', 'body.placement.prefer_pools: none of these pools serves the task, and allow_fallback is false')
  const tiers = filled([{ pools: preferred, inOrder: true, fallback: false }, ...rest.map((tier) => ({ ...tier, fallback: true }))])
  return { tiers, pinned: false }
}

/** The pools that can what the task asks for; says which field asks for something that none of them can. */
function ableOf<T extends PoolTask>(request: TaskDraft, candidates: Candidates<T>): Candidates<T> {
  const pools = poolsIn(candidates)
  const which = pools.length === 1 ? `pool ${pools[0]?.id ?? ''} does no` : 'no pool for this model does'
  const working = pools.filter((pool) => pool.supports(request.workload))
  if (working.length === 0)
    throw new DomainError('invalid_params', `body.workload: ${which} ${request.workload}; GET /v1/capabilities lists supported_workloads`)
  let able = working
  for (const [feature, field] of featuresOf(request)) {
    able = able.filter((pool) => pool.can(feature))
    if (able.length === 0) throw lacking(feature, field, working)
  }
  const objections = able.map(({ replicas }) => replicas[0]?.engine.objection?.(request))
  const willing = able.filter((_, i) => objections[i] === undefined)
  const [objection] = objections
  if (willing.length === 0 && objection !== undefined) throw new DomainError('invalid_params', `body.${objection.field}: ${objection.why}`)
  able = willing
  return able.length === pools.length ? candidates : candidatesWith(candidates, (pool) => able.includes(pool))
}

function lacking(feature: Feature, field: string, pools: readonly Pool[]): DomainError {
  const who = pools.length === 1 ? `pool ${pools[0]?.id ?? ''} does not have` : 'no pool for this task has'
  return new DomainError('invalid_params', `body.${field}: ${who} the feature ${feature}; GET /v1/capabilities lists features`)
}

function allowedBy<T extends PoolTask>(placement: Placement, all: Candidates<T>, pools: Pools<T>): Candidates<T> {
  const { pin_pool_id, prefer_pools = [], avoid_pools = [] } = placement
  for (const [field, ids] of [
    ['pin_pool_id', pin_pool_id === undefined ? [] : [pin_pool_id]],
    ['prefer_pools', prefer_pools],
    ['avoid_pools', avoid_pools],
  ] as const)
    for (const id of ids) if (pools.find(id) === undefined) noSuchPool(field, id)
  return candidatesWith(
    all,
    ({ id, replicas }) => !avoid_pools.includes(id) && replicas.some((replica) => onDevices(replica, { placement })),
  )
}
