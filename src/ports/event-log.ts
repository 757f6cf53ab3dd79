import type { StoredLog } from '../domain/stream/task-events.ts'
import type { TaskKey } from '../domain/task.ts'

/** Reads what `finished` facts wrote: the events of tasks that have ended and whose retention has not. */
export interface EventLog {
  read(key: TaskKey): Promise<StoredLog | undefined>
}
