import type { Estimator } from '../prediction/estimator.ts'
import { runningOf, type RunningWork } from '../prediction/work.ts'
import type { Moments } from '../prediction/output-shares.ts'
import type { Schedulable, Scheduler } from '../queue/scheduler.ts'
import type { SwapTimes } from './swap-times.ts'

/** Where a pool of a group is: asleep -> loading -> loaded -> leaving -> unloading -> asleep; a leaving one may stay after all. */
export type LoadState = 'asleep' | 'loading' | 'loaded' | 'leaving' | 'unloading'

/** Whether its model is there or on its way in, and has not begun to go. */
export const isAwake = ({ state }: { readonly state: LoadState }): boolean => state !== 'asleep' && state !== 'unloading'

/** When a pool has to be loaded for its interactive tasks to be in time, ms since the epoch; Infinity where none waits. */
export interface Due {
  /** From then on they are late where each takes as long as is reckoned with at most. */
  readonly due_at: number
  /** From then on they are late where each takes as long as is expected. */
  readonly late_at: number
  /** From then on they are late for certain: nothing is to be gained by hurry. */
  readonly lost_at: number
}

/** What the arbiter has to know of a pool. Durations are expectations. */
export interface Member extends Due {
  readonly id: string
  readonly state: LoadState
  /** Since when it is in that state, ms since the epoch. */
  readonly since: number
  /** Tasks that wait, and the interactive ones among them. */
  readonly waiting: number
  readonly interactive: number
  /** Tasks that run. */
  readonly running: number
  /** Until all that run have ended, ms, and when they will have ended almost certainly. */
  readonly drain_ms: number
  readonly drain_late_ms: number
  /** Until all that wait have been served as well, ms. */
  readonly work_ms: number
  /** One task, ms. */
  readonly service_ms: number
  readonly load_ms: number
  readonly unload_ms: number
  /** It is not loaded before: a load has failed or it may not be loaded, ms since the epoch. */
  readonly retry_at: number
  /** An operator wants it loaded now. */
  readonly wanted?: boolean
  /** An operator has sent it away: it is not loaded again before a task waits for it. */
  readonly rests?: boolean
  /** While loaded because an operator wanted it: until when it does not leave for others, ms since the epoch. */
  readonly held_until?: number
}

/** How far service times are believed to be off: the longest and the shortest that is reckoned with, as multiples of the expectation. */
const longest = 4
const shortest = 0.5

/**
 * By the deadline that comes first. O(1) but for a queue whose first deadlines have just left.
 * @param pace how long a millisecond of work takes, ms
 */
export function dueOf<T extends Schedulable>(scheduler: Scheduler<T>, slots: number, pace: number): Due {
  const task = scheduler.soonest('interactive')
  const ahead = task === undefined ? undefined : scheduler.ahead(task)
  if (task === undefined || ahead === undefined) return { due_at: Infinity, late_at: Infinity, lost_at: Infinity }
  const wait_ms = (ahead.work_ms * pace) / Math.max(1, slots)
  return dueBy(task.deadline_at, wait_ms, task.work_ms * pace)
}

/** For one task. @param wait_ms from the load until it starts, ms @param work_ms what it takes, ms */
export const dueBy = (deadline_at: number, wait_ms: number, work_ms: number): Due => ({
  due_at: deadline_at - wait_ms - longest * work_ms,
  late_at: deadline_at - wait_ms - work_ms,
  lost_at: deadline_at - shortest * (wait_ms + work_ms),
})

/** What is known of a pool where it is. */
export interface MemberParts<T extends Schedulable> extends Pick<
  Member,
  'id' | 'state' | 'since' | 'retry_at' | 'wanted' | 'rests' | 'held_until'
> {
  readonly scheduler: Scheduler<T>
  readonly estimator: Estimator
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Busy slots, and the work on each. */
  readonly busy: number
  readonly work: () => readonly RunningWork[]
  /** Tasks it runs at once while it is loaded. */
  readonly slots: number
  readonly swap: SwapTimes
  /** What else waits for it to be loaded; counts as interactive tasks. */
  readonly guests?: number
}

/** A pool as the arbiter sees it. What takes a look at its tasks is found out when it is asked for, for most looks ask for little. */
export class PoolMember<T extends Schedulable> implements Member {
  readonly id: string
  readonly state: LoadState
  readonly since: number
  readonly retry_at: number
  readonly load_ms: number
  readonly unload_ms: number
  readonly wanted: boolean
  readonly rests: boolean
  readonly held_until: number
  private readonly parts: MemberParts<T>
  private found: Due | undefined
  private left: readonly Moments[] | undefined

  constructor(parts: MemberParts<T>) {
    this.id = parts.id
    this.state = parts.state
    this.since = parts.since
    this.retry_at = parts.retry_at
    this.load_ms = parts.swap.load_ms
    this.unload_ms = parts.swap.unload_ms
    ;[this.wanted, this.rests, this.held_until] = [parts.wanted ?? false, parts.rests ?? false, parts.held_until ?? 0]
    this.parts = parts
  }

  get waiting(): number {
    return this.parts.scheduler.depth() + (this.parts.guests ?? 0)
  }

  get interactive(): number {
    return this.parts.scheduler.depth('interactive') + (this.parts.guests ?? 0)
  }

  get running(): number {
    return this.parts.busy
  }

  get service_ms(): number {
    return this.parts.estimator.meanServiceMs
  }

  get drain_ms(): number {
    return Math.max(0, ...this.lefts.map(({ mean }) => mean))
  }

  get drain_late_ms(): number {
    return Math.max(0, ...this.lefts.map(({ mean, variance }) => mean + 2 * Math.sqrt(variance)))
  }

  get work_ms(): number {
    return (this.lefts.reduce((sum, { mean }) => sum + mean, 0) + this.waiting * this.service_ms) / this.parts.slots
  }

  get due_at(): number {
    return this.due.due_at
  }

  get late_at(): number {
    return this.due.late_at
  }

  get lost_at(): number {
    return this.due.lost_at
  }

  private get due(): Due {
    return (this.found ??= dueOf(this.parts.scheduler, this.parts.slots, this.parts.estimator.pace))
  }

  private get lefts(): readonly Moments[] {
    const { estimator, work } = this.parts
    if (this.left !== undefined) return this.left
    const running = work()
    const outlook = estimator.outlook(runningOf(running), this.parts.now)
    return (this.left = running.map(({ shape, progress }) => outlook.left(shape, progress)))
  }
}
