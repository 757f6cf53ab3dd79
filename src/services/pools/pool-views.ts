import type { components } from '../../../generated/api.ts'
import type { Feature } from '../../domain/task.ts'
import type { Pool } from './pool.ts'

/** How a pool and its replicas are. */
export type PoolHealth = components['schemas']['PoolHealth']
/** A pool in a list. */
export type PoolSummary = components['schemas']['PoolSummary']
/** What a pool can do. */
export type EngineCapability = components['schemas']['EngineCapability']

/** A pool as lists show it. */
export function poolSummary(pool: Pool): PoolSummary {
  const { engine, model } = pool.config
  const { id, live, accepting, closed, slots, slotsBusy } = pool
  return {
    pool_id: id,
    engine,
    model_ref: model,
    live,
    ready: accepting,
    draining: closed,
    slots,
    slots_busy: slotsBusy,
    queue_depth: pool.scheduler.depth(),
    ...loadState(pool),
  }
}

/** How a pool and each of its replicas are. */
export function poolHealth(pool: Pool): PoolHealth {
  const { replicas, scheduler } = pool
  const last_error = pool.refusal ?? pool.reload_error ?? replicas.findLast((replica) => replica.last_error !== undefined)?.last_error
  return {
    live: pool.live,
    ready: pool.accepting,
    draining: pool.closed,
    metrics: {
      queue_depth: scheduler.depth(),
      queued_interactive: scheduler.depth('interactive'),
      queued_batch: scheduler.depth('batch'),
      slots: pool.slots,
      slots_busy: pool.slotsBusy,
    },
    ...(last_error === undefined ? {} : { last_error: last_error.slice(0, 2000) }),
    ...loadState(pool),
    replicas: replicas.map((replica) => ({
      replica_id: replica.id,
      state: replica.state,
      slots: replica.slots,
      slots_busy: replica.busy,
      devices: [...replica.devices],
      ...(replica.props === undefined ? {} : { engine_version: replica.props.engine_version }),
      ...(replica.props?.model_digest === undefined ? {} : { model_digest: replica.props.model_digest.slice(0, 128) }),
      restarts: replica.restarts,
      ...(replica.restart_in_ms === undefined ? {} : { restart_in_ms: replica.restart_in_ms }),
      ...(replica.last_error === undefined ? {} : { last_error: replica.last_error.slice(0, 2000) }),
    })),
  }
}

/** What its engine can beside generating text; nothing until a replica has been up. */
export const featuresOfPool = ({ props }: Pool): Feature[] => [
  ...(props?.replayable === true ? (['replayable'] as const) : []),
  ...(props?.features ?? []),
]

/** What a pool can do. */
export function poolCapability(pool: Pool): EngineCapability {
  const { config, props } = pool
  return {
    engine: config.engine,
    engine_version: pool.labels.engine_version,
    pool_id: pool.id,
    model_ref: config.model,
    ...(config.sampler_profile_version === undefined ? {} : { sampler_profile_version: config.sampler_profile_version }),
    ctx_max: pool.ctxMax,
    max_tokens_out: pool.maxTokensOut,
    slots: pool.slotsInAll,
    supported_workloads: [...(props?.workloads ?? [])],
    rate_limits: { queue_capacity: config.queue.capacity, full_policy: config.queue.full_policy },
    features: featuresOfPool(pool),
    ...(props?.tokens_estimated === true ? { tokens_estimated: true } : {}),
    ...loadState(pool),
  }
}

const loadState = ({ seat }: Pool): Pick<PoolSummary, 'load_state'> => (seat === undefined ? {} : { load_state: seat.state })
