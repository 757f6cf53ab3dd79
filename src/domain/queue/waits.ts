import type { components } from '../../../generated/api.ts'
import type { LoadState } from '../groups/member.ts'
import type { Priority } from '../task.ts'

/** Why a task waits. */
export type Waits = components['schemas']['Waits']
type Code = Waits['code']

/** A replica, as a task of its pool that waits sees it. */
export interface ReplicaSeen {
  readonly id: string
  readonly state: 'starting' | 'ready' | 'down' | 'stopped'
  readonly slots: number
  /** It takes a task now. */
  readonly free: boolean
  /** It has the devices that the task requires. */
  readonly fits: boolean
  /** Its engine is there, and its breaker trusts it with no task, or with one at a time. */
  readonly on_trial: boolean
  /** When it is expected to be ready, ms from now; undefined where nobody knows. */
  readonly ready_in_ms: number | undefined
}

/** The place of a pool in its group, where it is not loaded. */
export interface SleepSeen {
  readonly state: Exclude<LoadState, 'loaded'>
  /** When it is expected to be loaded, ms from now. */
  readonly loaded_in_ms: number
  /** Its last load failed: when it is tried again, ms from now; Infinity where nothing but an operator changes that. */
  readonly retry_in_ms: number | undefined
  /** Another pool that has the place. */
  readonly holder: string | undefined
}

/** A pool, as a task that waits in it sees it. */
export interface PoolSeen {
  /** Its engines have not been started yet; they are in use; it dispatches no more, for the daemon stops. */
  readonly life: 'new' | 'open' | 'closing'
  /** What is in it is worked off, and nothing new comes; when what is left is ended, ms from now. */
  readonly leaves: { readonly ends_in_ms: number | undefined } | undefined
  readonly sleeps: SleepSeen | undefined
  readonly replicas: readonly ReplicaSeen[]
}

/** A task that waits. */
export interface Waiter {
  readonly priority: Priority
  /** Tasks that will be dispatched before it if nobody else comes, and those of the other class among them. */
  readonly position: number
  readonly passing: number
  /** It has had a run: whether it goes on from its text, and whether the daemon has been restarted since. */
  readonly again: { readonly continues: boolean; readonly restored: boolean } | undefined
  /** It runs alone on its replica. */
  readonly alone: boolean
}

const texts: Readonly<Record<Code, string>> = {
  next: 'starts with the next free slot',
  slots_busy: 'all slots are busy',
  batch_yields: 'batch, interactive goes first',
  model_loading: 'the model is being loaded',
  model_asleep: 'its model is not loaded',
  pool_down: 'no replica is up',
  breaker_open: 'the replica is being tried again',
  replica_pinned: 'pinned to a replica that is busy or down',
  runs_alone: 'runs alone after two runs ended with the failure of their engine',
  run_again: 'starts again after its engine failed',
  continues: 'goes on from its text after its engine failed',
  draining: 'the pool drains; this is among its last tasks',
  recovering: 'the daemon has just started',
  stopping: 'the daemon stops and starts it when it is back',
}

/** What is found: the code, and what else there is to say of it. */
type Found = Omit<Waits, 'text'> & { readonly text?: string }

/**
 * Why a task has not begun, from what the scheduler goes by: what keeps every task of its pool back, then what keeps it from the replicas that are
 * up, then who goes first. O(replicas).
 */
export function waitsOf(task: Waiter, pool: PoolSeen): Waits {
  const found = ofLife(pool) ?? ofSleep(pool) ?? ofReplicas(pool) ?? ofQueue(task, pool)
  const fitting = pool.replicas.filter(({ fits }) => fits)
  const up = fitting.filter(({ state }) => state === 'ready')
  const slots = (up.length > 0 ? up : fitting).reduce((sum, one) => sum + one.slots, 0)
  return { text: texts[found.code], ...found, ahead: task.position, slots }
}

/** It has its slot, and waits until nobody else runs on its replica. */
export const waitsAlone = (replica_id: string): Waits => ({ code: 'runs_alone', text: texts.runs_alone, replica_id })

function ofLife({ life }: PoolSeen): Found | undefined {
  if (life === 'closing') return { code: 'stopping' }
  return life === 'new' ? { code: 'recovering' } : undefined
}

function ofSleep({ sleeps }: PoolSeen): Found | undefined {
  if (sleeps === undefined) return undefined
  const { state, loaded_in_ms, retry_in_ms, holder } = sleeps
  if (retry_in_ms !== undefined) return { code: 'pool_down', ...until(retry_in_ms) }
  if (state === 'loading') return { code: 'model_loading', ...until(loaded_in_ms) }
  const asleep = { code: 'model_asleep', ...until(loaded_in_ms) } as const
  return holder === undefined ? asleep : { ...asleep, text: `${holder} has the GPU`, pool_id: holder }
}

function ofReplicas({ replicas }: PoolSeen): Found | undefined {
  const fitting = replicas.filter(({ fits }) => fits)
  const ready = replicas.some(({ state }) => state === 'ready')
  const up = fitting.filter(({ state }) => state === 'ready')
  const one = fitting.length === 1 && replicas.length > 1 ? { replica_id: fitting[0]?.id ?? '' } : {}
  if (up.length === 0 && ready) return { code: 'replica_pinned', ...one, ...untilFirst(fitting) }
  if (up.length === 0) {
    const starting = replicas.filter(({ state }) => state === 'starting')
    if (starting.length > 0) return { code: 'model_loading', ...untilFirst(starting) }
    const tried = replicas.filter(({ on_trial }) => on_trial)
    return tried.length > 0 ? { code: 'breaker_open', ...untilFirst(tried) } : { code: 'pool_down', ...untilFirst(replicas) }
  }
  if (up.some(({ free }) => free)) return undefined
  if (up.every(({ on_trial }) => on_trial)) return { code: 'breaker_open', ...one }
  return fitting.length < replicas.length ? { code: 'replica_pinned', ...one } : undefined
}

function ofQueue({ priority, position, passing, again, alone }: Waiter, { leaves }: PoolSeen): Found {
  if (leaves !== undefined) return { code: 'draining', ...(leaves.ends_in_ms === undefined ? {} : until(leaves.ends_in_ms)) }
  if (alone) return { code: 'runs_alone' }
  if (again !== undefined) {
    if (again.restored)
      return { code: again.continues ? 'continues' : 'run_again', text: again.continues ? restored.continues : restored.run_again }
    return { code: again.continues ? 'continues' : 'run_again' }
  }
  if (position === 0) return { code: 'next' }
  return { code: priority === 'batch' && passing > 0 ? 'batch_yields' : 'slots_busy' }
}

/** What cut the run off may have been the end of the daemon. */
const restored = {
  run_again: 'starts again after a restart of the daemon',
  continues: 'goes on from its text after a restart of the daemon',
} as const

const longest_ms = 0x7fffffff

const until = (ms: number): { readonly until_ms?: number } =>
  Number.isFinite(ms) ? { until_ms: Math.min(longest_ms, Math.max(0, Math.ceil(ms))) } : {}

const untilFirst = (replicas: readonly ReplicaSeen[]): { readonly until_ms?: number } =>
  until(Math.min(Infinity, ...replicas.flatMap(({ ready_in_ms }) => ready_in_ms ?? [])))
