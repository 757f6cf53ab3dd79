import type { EventSink } from '../../domain/daemon-events.ts'
import { DomainError } from '../../domain/errors.ts'
import { poolsOf } from '../../domain/models/named-model.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { otherPoolFor } from '../tasks/other-pool.ts'
import type { Settlement } from '../tasks/settlement.ts'

/** What moves of tasks between pools work with. */
export interface MovingParts {
  readonly pools: Pools<LiveTask>
  readonly settlement: Settlement
  readonly journal: Pick<Journal, 'commit'>
  readonly events: EventSink
}

/**
 * Moves tasks that wait. Where they are is written without waiting: a start that does not know of it finds them a pool, too.
 * @returns how many were there to be moved
 */
export function moveAll(
  moves: Iterable<readonly [LiveTask, Pool<LiveTask>]>,
  from: Pool<LiveTask>,
  { pools, journal, events }: MovingParts,
): number {
  let moved = 0
  const facts: Fact[] = []
  for (const [task, to] of moves) {
    if (!from.scheduler.remove(task)) continue
    facts.push(...task.moveTo(to))
    to.scheduler.restore(task)
    pools.onCapacity(to)
    to.reportDepth()
    moved++
  }
  if (moved > 0) from.reportDepth()
  if (facts.length > 0)
    journal.commit(facts).catch((err: unknown) => {
      const message = `It cannot be written where tasks of pool ${from.id} have moved.`
      events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err, pool_id: from.id } })
    })
  return moved
}

/** Ends tasks of a pool, those that run included. */
export function endAll(
  pool: Pool<LiveTask>,
  tasks: readonly LiveTask[],
  errorFor: (task: LiveTask) => DomainError,
  { settlement }: MovingParts,
): void {
  for (const task of tasks) {
    if (!task.claim(false)) continue
    pool.scheduler.remove(task)
    const error = errorFor(task)
    task.abort.abort(error)
    settlement.settleSoon(task, { kind: 'error', error, reason: 'drain' })
  }
  pool.reportDepth()
}

/** What waits in a pool for a model that its server has no more, by the name that the server had for it, moves to a pool that has it, or ends. */
export function leaveOtherModel(pool: Pool<LiveTask>, parts: MovingParts & { readonly now: number }): void {
  const { pools, now } = parts
  const stays = ({ head }: LiveTask): boolean => {
    const model = pools.names.find(head.model_ref)
    return model !== undefined && poolsOf(model).includes(pool.id)
  }
  for (const task of [...pool.scheduler.tasks()].filter((one) => !stays(one))) {
    const other = otherPoolFor(task, pools, now)
    if (other === undefined) endAll(pool, [task], ({ head }) => servesNoMore(pool, head.model_ref), parts)
    else moveAll([[task, other]], pool, parts)
  }
}

/** Whether another pool that takes tasks and has room has a name that something waits for. It costs next to nothing beside a plan of moves. */
export function mayMove(pool: Pool<LiveTask>, { pools }: Pick<MovingParts, 'pools'>): boolean {
  const roomy = pools.all().filter((one) => one !== pool && one.accepting && one.scheduler.depth() < one.config.queue.capacity)
  if (roomy.length === 0) return false
  const named = new Set(Array.from(pool.scheduler.tasks(), ({ head }) => head.model_ref))
  const serving = new Set([...named].flatMap((name) => poolsOf(pools.names.find(name) ?? none)))
  return roomy.some(({ id }) => serving.has(id))
}

const none = { pools: [], fallback: [] }

/** Why a task of a pool ends whose model has gone. */
export const servesNoMore = ({ id }: Pool, model: string): DomainError =>
  new DomainError('pool_unavailable', `Pool ${id} does not serve ${model} any more; send the task again.`)
