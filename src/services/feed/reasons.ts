import type { Place } from '../../domain/queue/ahead.ts'
import type { Waits } from '../../domain/queue/waits.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { waitsNow } from '../tasks/waiting.ts'

/**
 * Why tasks wait: most of a pool wait for the same, which is worked out once for all of them and holds until it is renewed. That tasks come and go
 * changes it for those alone that are first.
 */
export class Reasons {
  private known = new WeakMap<Pool<LiveTask>, (Waits | undefined)[]>()

  /** What is asked of a pool from now on is worked out anew; of all pools unless one is given. */
  renew(pool?: Pool<LiveTask>): void {
    if (pool === undefined) this.known = new WeakMap()
    else this.known.delete(pool)
  }

  /** How many are ahead of it may be said of another. @param placeOf what is ahead of it; undefined where it is not in the queue */
  of(task: LiveTask, placeOf: () => Place | undefined, now: number): Waits | undefined {
    const kind = task.phase !== 'queued' || isSpecial(task) ? undefined : kindOf(task)
    if (kind === undefined) return waitsNow(task, placeOf(), now)
    const { pool } = task
    let kinds = this.known.get(pool)
    if (kinds === undefined) this.known.set(pool, (kinds = []))
    const known = kinds[kind]
    // What runs out is counted from now.
    if (known !== undefined && known.until_ms === undefined) return known
    return (kinds[kind] = waitsNow(task, placeOf(), now))
  }
}

/** Tasks of one kind wait for the same: those of a class that are not its first, of batch with or without others before them. Undefined of the first. */
function kindOf(task: LiveTask): number | undefined {
  const { priority } = task
  const { scheduler } = task.pool
  const first = scheduler.first(priority)
  if (first === undefined || first === task) return undefined
  if (priority === 'interactive') return 0
  return scheduler.depth('interactive') > 0 && scheduler.rules.batch_every > 1 ? 1 : 2
}

/** Whether it may wait for something that others of its class do not: it has had runs, the load of a group is asked for by its deadline, or it requires devices. */
function isSpecial(task: LiveTask): boolean {
  const { seat, replicas } = task.pool
  if (seat !== undefined || task.runs.attempts !== undefined) return true
  return replicas.length > 1 && task.accepted.request.placement?.require_device_mask !== undefined
}
