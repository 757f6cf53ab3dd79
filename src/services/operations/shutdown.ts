import { DomainError } from '../../domain/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Journal } from '../../ports/journal.ts'
import type { Log } from '../../ports/telemetry.ts'
import type { LiveTask, LiveTasks } from '../tasks/live-tasks.ts'
import type { Settlement } from '../tasks/settlement.ts'

/**
 * Lets running tasks finish for at most `grace_ms`. What is still running then stays in the journal where its engine can run it again
 * with the same result, and ends with WORKER_RESET where it cannot. Queued tasks stay in the journal.
 */
export async function quiesce(
  live: LiveTasks,
  settlement: Settlement,
  journal: Pick<Journal, 'commit'>,
  clock: Clock,
  grace_ms: number,
  log: Log,
): Promise<void> {
  const running = (): LiveTask[] => [...live.all()].filter(({ phase }) => phase === 'running' || phase === 'ending')
  let cancel = (): void => undefined
  const grace = new Promise<void>((resolve) => {
    cancel = clock.after(grace_ms, resolve)
  })
  await Promise.race([grace, Promise.all(running().map((task) => task.ended.promise))])
  cancel()
  const reset = new DomainError('worker_reset', 'The daemon was stopped while the task ran; send it again.')
  const endings = running().map(async (task) => {
    if (!settlement.claim(task, true)) return
    task.abort.abort(reset)
    if (task.pool.props?.replayable === true) {
      const { owner, task_id } = task.accepted
      await journal.commit([...task.session.pause(), { kind: 'attempt_withdrawn', key: { owner, task_id }, attempt: task.attempts }])
      return
    }
    await settlement.settle(task, { kind: 'error', error: reset, reason: 'shutdown' })
  })
  for (const result of await Promise.allSettled(endings))
    if (result.status === 'rejected')
      log.error({ err: result.reason as unknown, event: 'stop' }, 'A task could not be ended before the stop.')
}
