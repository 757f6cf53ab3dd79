import { controls, type Principal } from './principal.ts'
import type { Attempts, TaskKey } from './task.ts'

/** Runs a task has, those cut off by a crash of the daemon included, before it is given up: it may be what kills its engine. */
export const maxAttempts = 3

/**
 * What a start of the daemon does with a task that has not ended: it waits as if it had not been dispatched, goes on from its text, runs again with the
 * same text, is given up, or ends because what is out cannot be gone on with.
 */
export type Fate = 'kept' | 'continues' | 'reruns' | 'given_up' | 'lost'

/** What there is of an answer. */
export interface Remains {
  /** The journal has all that is out. */
  readonly complete: boolean
  /** An engine could go on from it. @see beginningOf */
  readonly continuable: boolean
}

/**
 * The rule of recovery, and of what is told before a restart.
 * @param attempts as the journal has them after the daemon has ended; undefined where none began
 * @param remains asked for only where one began
 */
export function fateOf(attempts: Attempts | undefined, remains: () => Remains): Fate {
  if (attempts === undefined) return 'kept'
  const { complete, continuable } = remains()
  if (attempts.recorded === true && !complete) return 'lost'
  if (attempts.failed >= maxAttempts) return 'given_up'
  if (attempts.recorded === true) return continuable ? 'continues' : 'lost'
  return attempts.replayable ? 'reruns' : 'lost'
}

/** What would become of the unfinished tasks if the daemon were killed and started again now. */
export interface Restart {
  /** Tasks that wait and would wait again. */
  readonly waiting_kept: number
  /** Running tasks that would go on from their text. */
  readonly running_continue: number
  /** Running tasks that would run again, with the same text. */
  readonly running_rerun: number
  /** Tasks that would end with WORKER_RESET, or that no pool serves any more. */
  readonly running_lost: number
  /** Those that would be lost. @see lostShown */
  readonly lost: readonly TaskKey[]
  /** From now: when those that would be lost are expected to have ended; undefined where there are none. */
  readonly lossless_in_ms: number | undefined
}

/** A task, and what would become of it. */
export interface Fated {
  readonly key: TaskKey
  readonly running: boolean
  readonly fate: Fate
  /** Until it has ended, ms; asked for only where it would be lost. */
  readonly left_ms: () => number
}

/** Adds up what would become of tasks. @param waiting_kept those that wait and have not begun, beside these */
export function restartOf(tasks: readonly Fated[], waiting_kept: number): Restart {
  const sums = { waiting_kept, running_continue: 0, running_rerun: 0, running_lost: 0 }
  const lost: TaskKey[] = []
  let left_ms = 0
  for (const { key, running, fate, left_ms: left } of tasks) {
    if (fate === 'lost' || fate === 'given_up') {
      sums.running_lost++
      lost.push(key)
      left_ms = Math.max(left_ms, left())
    } else if (!running) sums.waiting_kept++
    else if (fate === 'continues') sums.running_continue++
    else sums.running_rerun++
  }
  return { ...sums, lost, lossless_in_ms: lost.length === 0 ? undefined : Math.ceil(left_ms) }
}

/** Tasks that would be lost that are named. */
const most_named = 10

/** Ids of the first that would be lost, as far as a key may know of them. */
export const lostShown = ({ lost }: Restart, principal: Principal): string[] =>
  lost
    .filter(({ owner }) => controls(principal) || owner === principal.name)
    .slice(0, most_named)
    .map(({ task_id }) => task_id)
