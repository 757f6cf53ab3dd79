import { DomainError, StreamError, type ErrorDetails } from '../../domain/errors.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { poolsOf } from '../../domain/models/named-model.ts'
import type { Fate } from '../../domain/restart.ts'
import { cutOff } from '../../domain/runs.ts'
import { decodePart, type EncodedPart, type Part } from '../../domain/stream/part.ts'
import { startedEvent } from '../../domain/stream/task-events.ts'
import { TaskLog } from '../../domain/stream/task-log.ts'
import { draftAgain } from '../../domain/task-defaults.ts'
import type { UnfinishedTask } from '../../domain/task.ts'
import { dayOf, usageOf } from '../../domain/usage.ts'
import { type Clock, momentsOf, wallNow } from '../../ports/clock.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Admission } from '../tasks/admission.ts'
import { gaveUp } from '../tasks/ending.ts'
import { fateIfKilled } from '../tasks/fate.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { candidatesFor, poolsIn } from '../pools/candidates.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { Settlement } from '../tasks/settlement.ts'

/** What recovery works with. */
export interface RecoveryParts {
  readonly journal: Pick<Journal, 'commit' | 'recorded' | 'unfinished'>
  readonly admission: Admission
  readonly settlement: Settlement
  readonly pools: Pools<LiveTask>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Takes up what the last run of the daemon left: every accepted and unfinished task is queued again, in order of acceptance. Those that had
 * started run again where their engine gives the same text, and go on where all that is out is in the journal; the others end honestly, and so
 * do those that have had their attempts and those that no pool serves any more.
 */
export async function recover({ journal, admission, settlement, pools, clock, events }: RecoveryParts): Promise<void> {
  /** Ends of those that no pool serves, when runs ended that were cut off, and where tasks are that are not where they were. */
  const facts: Fact[] = []
  let queued = 0
  let ended = 0
  for await (const page of journal.unfinished()) {
    const momentOf = momentsOf(clock)
    for (const task of page) {
      const accepted_on = momentOf(task.head.accepted_at)
      const pool = poolFor(task, pools)
      if (pool === undefined) {
        facts.push(...orphaned(task, wallNow(clock)))
        ended++
        continue
      }
      if (pool.id !== task.head.pool_id)
        facts.push({ kind: 'moved', key: { owner: task.head.owner, task_id: task.head.task_id }, pool_id: pool.id })
      // Most have not begun, and have nothing but their place.
      if (task.attempts === undefined) {
        pool.scheduler.restore(admission.restore(task, pool, [], accepted_on))
        queued++
        continue
      }
      const recorded = task.attempts.recorded === true ? await journal.recorded(task.head) : []
      const live = admission.restore(task, pool, recorded.flatMap(partsOf), accepted_on)
      live.runs.complete = !recorded.includes('')
      const error = endOf(fateIfKilled(live), pool)
      if (error === undefined) {
        facts.push(...live.runs.keep(live.key))
        pool.scheduler.restore(live)
        queued++
      } else {
        live.claim(false)
        settlement.settleSoon(live, { kind: 'error', error })
        ended++
      }
    }
  }
  // What cannot be written now is found again by the next start.
  if (facts.length > 0)
    await journal.commit(facts).catch((err: unknown) => {
      const message = 'What became of tasks that the last run left could not be written.'
      events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    })
  if (queued + ended > 0) events.emit({ type: 'recovered', queued, ended })
}

/**
 * The task's own pool if that serves what the task names. Where nothing has that name now, be it that the configuration has changed or that
 * only a server knows it which is not up yet: the own pool if it serves what it did. Else another pool that the task's placement allows,
 * for one that has started best one of the same model.
 */
export function poolFor({ head, attempts }: UnfinishedTask, pools: Pools<LiveTask>): Pool<LiveTask> | undefined {
  const own = pools.find(head.pool_id)
  const model = pools.names.find(head.model_ref)
  const had = attempts?.runs?.at(-1)?.model_ref ?? head.source.task.served ?? head.model_ref
  const served = ({ config }: Pool): boolean => config.model === had
  const serves = (pool: Pool): boolean => (model === undefined ? served(pool) : poolsOf(model).includes(pool.id))
  if (own !== undefined && serves(own) && (attempts === undefined || served(own))) return own
  try {
    const others = poolsIn(candidatesFor(draftAgain(head.source.task), pools))
    return (attempts === undefined ? undefined : others.find(served)) ?? others[0]
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

/** Parts of one line; none where the journal says that it does not have them all. */
const partsOf = (line: string): Part[] => (line === '' ? [] : (JSON.parse(line) as EncodedPart[]).map(decodePart))

const detailsOf = (pool: Pool): ErrorDetails => ({ engine: pool.config.engine, pool_id: pool.id })

const restarted = (pool: Pool): StreamError =>
  new StreamError('worker_reset', 'The daemon was restarted while the task ran; send it again.', detailsOf(pool))

/** Why the task is not run again; undefined where it is. */
function endOf(fate: Fate, pool: Pool): StreamError | undefined {
  if (fate === 'given_up') return gaveUp(detailsOf(pool))
  return fate === 'lost' ? restarted(pool) : undefined
}

function orphaned({ head, attempts }: UnfinishedTask, now: number): Fact[] {
  const { task } = head.source
  const { owner, pool_id, request } = task
  const error = new DomainError('pool_unavailable', `No pool serves ${request.model_ref} any more.`)
  const terminal = { error: { ...error.taskError, engine: request.engine, pool_id } }
  const ended = Math.max(0, now - task.accepted_at)
  const life = { runs: (attempts?.runs ?? []).map((run) => cutOff(run, ended)), pool_id, ended }
  const outcome = { state: 'failed', finished_at: now, error: error.taskError, life } as const
  const log = new TaskLog(startedEvent(task)).stored(terminal, true)
  return [
    { kind: 'finished', key: task, outcome, log },
    { kind: 'usage', more: usageOf({ owner, model_ref: task.served ?? request.model_ref, day: dayOf(now), tasks: 1 }) },
  ]
}
