import type { Config } from '../config/config.ts'
import { openaiErrors } from '../doors/openai/errors.ts'
import type { EventSink } from '../domain/daemon-events.ts'
import { batchLines, operationOf } from '../handlers/openai/batch-lines.ts'
import { doorRequestCheck } from '../http/check-request.ts'
import { errorIn } from '../middleware/error-envelope.ts'
import type { Clock } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import type { Storage } from '../ports/storage.ts'
import type { Artifacts } from '../services/artifacts.ts'
import { Batches } from '../services/batches/batches.ts'
import { Files } from '../services/batches/files.ts'
import type { CreationLimits } from '../services/creation-limits.ts'
import type { Cancellation } from '../services/tasks/cancellation.ts'
import type { DoorTasks } from '../services/tasks/door-tasks.ts'
import type { LiveTasks } from '../services/tasks/live-tasks.ts'

/** What files and batches stand on. */
export interface BatchParts {
  readonly config: Config
  readonly storage: Pick<Storage, 'files' | 'batches'>
  readonly journal: Journal
  readonly creation: CreationLimits
  readonly clock: Clock
  readonly events: EventSink
  readonly live: LiveTasks
  readonly cancellation: Cancellation
  readonly doorTasks: DoorTasks
  readonly artifacts: Artifacts
}

/** Files, and batches whose lines are asked as OpenAI's door is. */
export function batchesOf({ config, storage, doorTasks, artifacts, ...parts }: BatchParts): { files: Files; batches: Batches } {
  const files = new Files({ ...parts, store: storage.files })
  const ask = batchLines({
    doorTasks,
    artifacts,
    check: async (operation, body) => (await doorRequestCheck(operation))({ path: {}, query: {}, header: {}, body }),
  })
  const batches = new Batches({
    ...{ ...parts, store: storage.batches, files, ask },
    refusalOf: (error, endpoint) => errorIn(openaiErrors, error, operationOf[endpoint]),
    window: config.doors.batch_window,
    line_chars: config.limits.door_body_bytes,
  })
  return { files, batches }
}
