import type { DeviceSeen } from '../../domain/placement/device-events.ts'
import type { Pool } from '../pools/pool.ts'
import type { Replica } from '../pools/replica.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { Loads } from './loads.ts'
import { iso, wireMs, type FeedDevice, type FeedPool, type FeedReplica, type Told } from './wire.ts'

/** Characters of an error that are told: the rest is in the pool's health. */
const most_error = 500
/** Characters of a name that are told. */
const most_name = 200
/** A moment that is expected is told to this, ms. */
const coarse_ms = 2000

/** What a pool is told with. */
export interface PoolContext {
  readonly loads: Loads
  readonly group: string | undefined
  readonly tokens_per_s: number
  readonly now: number
  readonly wallOf: (moment: number) => number
}

/** A thing that is told, and what says whether it has changed: durations that run have not. */
export interface ToldThing<T> {
  readonly tell: Told<T>
  readonly signature: string
}

/** A pool and its replicas. */
export function poolTold(pool: Pool<LiveTask>, context: PoolContext): ToldThing<FeedPool> {
  const { scheduler, seat, config } = pool
  const replicas = pool.replicas.map((replica) => replicaTold(replica, pool, context.loads))
  const waiting = { interactive: scheduler.depth('interactive'), batch: scheduler.depth('batch') }
  const last_error = pool.refusal ?? pool.reload_error
  const still = {
    pool_id: pool.id,
    engine: config.engine,
    model: config.model,
    state: stateOf(pool),
    slots: pool.slots,
    busy: pool.slotsBusy,
    running: pool.running.size,
    waiting,
    tokens_per_s: context.tokens_per_s,
    ...(context.group === undefined ? {} : { group: context.group }),
    ...(seat === undefined ? {} : { load_state: seat.state, ...loadsBy(pool, context) }),
    ...(pool.closed && pool.ends_at !== undefined ? { drains_by_at: iso(context.wallOf(pool.ends_at)) } : {}),
    ...(last_error === undefined ? {} : { last_error: last_error.slice(0, most_error) }),
  }
  return {
    tell: (now) => ({ ...still, replicas: replicas.map(({ tell }) => tell(now)) }),
    signature: JSON.stringify([still, replicas.map(({ signature }) => signature)]),
  }
}

/** Accelerators, and who uses them. */
export function devicesTold(seen: readonly DeviceSeen[], pools: readonly Pool<LiveTask>[]): FeedDevice[] {
  return seen.map(({ index, name, utilization, used_bytes, free_bytes, fault }) => ({
    index,
    ...(name === undefined ? {} : { name: name.slice(0, most_name) }),
    ...(utilization === undefined ? {} : { busy: Math.round(utilization * 100) / 100 }),
    ...(used_bytes === undefined ? {} : { used_bytes }),
    ...(free_bytes === undefined ? {} : { free_bytes }),
    ...(fault === undefined ? {} : { fault: fault.slice(0, most_error) }),
    used_by: pools.flatMap(({ id: pool_id, replicas }) =>
      replicas
        .filter(({ devices, state }) => devices.includes(index) && (state === 'ready' || state === 'starting'))
        .map(({ id: replica_id }) => ({ pool_id, replica_id })),
    ),
  }))
}

function stateOf({ refusal, closed, seat, replicas }: Pool<LiveTask>): FeedPool['state'] {
  if (refusal !== undefined) return 'down'
  if (closed) return 'draining'
  if (seat?.state === 'asleep' || seat?.state === 'unloading') return 'asleep'
  const ready = replicas.filter(({ state }) => state === 'ready').length
  if (ready > 0) return ready === replicas.length ? 'ready' : 'partial'
  return seat?.state === 'loading' || replicas.some(({ state }) => state === 'starting') ? 'loading' : 'down'
}

/** When a pool that sleeps is loaded for those that wait in it. */
function loadsBy({ seat, scheduler }: Pool<LiveTask>, { now, wallOf }: PoolContext): Partial<FeedPool> {
  if (seat === undefined || seat.state === 'loaded' || scheduler.depth() === 0) return {}
  const { mean } = seat.loadedIn({ interactive: scheduler.depth('interactive') > 0, deadline_at: Infinity })
  return Number.isFinite(mean) ? { loads_by_at: iso(Math.ceil((wallOf(now) + mean) / coarse_ms) * coarse_ms) } : {}
}

function replicaTold(replica: Replica, pool: Pool<LiveTask>, loads: Loads): ToldThing<FeedReplica> {
  const kv = replica.state === 'ready' ? replica.engine.kvUsage?.() : undefined
  const { id, state, slots, busy, devices, restarts, restart_at, last_error } = replica
  const load = state === 'starting' ? loads.of(pool.id, id, pool.config.model) : undefined
  const expected_ms = load?.expected_ms
  const still = {
    replica_id: id,
    state,
    slots,
    busy,
    devices: [...devices],
    breaker: replica.breaker.state,
    ...(kv === undefined ? {} : { kv: Math.round(kv * 100) / 100 }),
    restarts,
    ...(state === 'ready' || last_error === undefined ? {} : { last_error: last_error.slice(0, most_error) }),
  }
  const tell = (now: number): FeedReplica => ({
    ...still,
    ...(load === undefined
      ? {}
      : { loading: { elapsed_ms: wireMs(now - load.since), ...(expected_ms === undefined ? {} : { expected_ms: wireMs(expected_ms) }) } }),
    ...(state === 'down' && restart_at !== undefined ? { restart_in_ms: wireMs(restart_at - now) } : {}),
  })
  return { tell, signature: JSON.stringify([still, load, restart_at]) }
}
