import { DomainError } from '../domain/errors.ts'
import type { TaskRequest } from '../domain/task.ts'
import type { Pool, Pools } from './pools.ts'
import type { Replica } from './replica.ts'

/** Pools a task may go to. */
export interface Candidates {
  /** Tried first, all equal. */
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
  if (serving.length === 0) throw new DomainError('not_found', `No pool serves model_ref ${model_ref} on engine ${engine}; GET /v1/capabilities lists what is served.`)
  for (const [field, ids] of [['pin_pool_id', placement?.pin_pool_id === undefined ? [] : [placement.pin_pool_id]], ['prefer_pools', placement?.prefer_pools ?? []], ['avoid_pools', placement?.avoid_pools ?? []]] as const)
    for (const id of ids) if (pools.find(id) === undefined) throw new DomainError('invalid_params', `body.placement.${field}: there is no pool ${id}`)

  const mask = placement?.require_device_mask ?? []
  const allowed = serving.filter((pool) => placement?.avoid_pools?.includes(pool.id) !== true && pool.replicas.some(({ devices }) => mask.every((device) => devices.includes(device))))
  if (placement?.mode === 'pin') {
    const pinned = allowed.filter(({ id }) => id === placement.pin_pool_id)
    if (pinned.length === 0) throw new DomainError('invalid_params', `body.placement.pin_pool_id: pool ${placement.pin_pool_id} does not serve this engine and model, or the placement excludes it`)
    return { first: pinned, fallback: [], pinned: true }
  }
  if (allowed.length === 0) throw new DomainError('invalid_params', 'body.placement: avoid_pools and require_device_mask leave no pool for this engine and model')
  const able = allowed.filter((pool) => pool.supports(request.workload))
  if (able.length === 0) throw new DomainError('invalid_params', `body.workload: no pool does ${request.workload} with this engine and model; GET /v1/capabilities lists supported_workloads`)
  if (placement?.mode !== 'prefer') return { first: able, fallback: [], pinned: false }
  const preferred = (placement.prefer_pools ?? []).flatMap((id) => able.filter((pool) => pool.id === id))
  const rest = placement.allow_fallback === false ? [] : able.filter((pool) => !preferred.includes(pool))
  return { first: preferred, fallback: rest, pinned: false }
}

/** Among a pool's ready replicas with a free slot: fewest busy slots, then the order of the configuration. */
export function chooseReplica(pool: Pool, devices: readonly number[] = []): Replica | undefined {
  let best: Replica | undefined
  for (const replica of pool.replicas)
    if (replica.hasFreeSlot && devices.every((device) => replica.devices.includes(device)) && (best === undefined || replica.busy < best.busy)) best = replica
  return best
}
