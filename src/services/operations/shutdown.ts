import { StreamError } from '../../domain/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Journal } from '../../ports/journal.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { fateIfStopped } from '../tasks/fate.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import type { Settlement } from '../tasks/settlement.ts'

/** What an orderly stop works with. */
export interface QuiesceParts {
  readonly live: LiveTasks
  readonly settlement: Settlement
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Lets running tasks finish for at most `grace_ms`. What is still running then stays in the journal where its engine can run it again
 * with the same result or go on with it, and ends with WORKER_RESET where it cannot. Queued tasks stay in the journal.
 */
export async function quiesce(grace_ms: number, { live, settlement, journal, clock, events }: QuiesceParts): Promise<void> {
  const running = (): LiveTask[] => [...live.all()].filter(({ phase }) => phase === 'running' || phase === 'ending')
  let cancel = (): void => undefined
  const grace = new Promise<void>((resolve) => {
    cancel = clock.after(grace_ms, resolve)
  })
  await Promise.race([grace, Promise.all(running().map((task) => task.ended))])
  cancel()
  const reset = new StreamError('worker_reset', 'The daemon was stopped while the task ran; send it again.')
  const endings = running().map(async (task) => {
    if (!task.claim(true)) return
    task.abort.abort(reset)
    const fate = fateIfStopped(task)
    if (fate === 'continues' || fate === 'reruns') await journal.commit(task.withdraw(clock.now()))
    else await settlement.settle(task, { kind: 'error', error: reset, reason: 'shutdown' })
  })
  for (const result of await Promise.allSettled(endings))
    if (result.status === 'rejected')
      events.emit({
        type: 'notice',
        level: 'error',
        event: 'stop',
        message: 'A task could not be ended before the stop.',
        fields: { err: result.reason as unknown },
      })
}
