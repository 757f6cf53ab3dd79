import type { Admission } from '../services/admission.ts'
import type { Artifacts } from '../services/artifacts.ts'
import type { Cancellation } from '../services/cancellation.ts'
import type { Catalog } from '../services/catalog.ts'
import type { Drain } from '../services/drain.ts'
import type { Pools } from '../services/pools.ts'
import type { Reload } from '../services/reload.ts'
import type { Sessions } from '../services/sessions.ts'
import type { Streams } from '../services/streams.ts'
import type { Tasks } from '../services/tasks.ts'
import { cancelTask } from './cancel-task.ts'
import { catalogHandlers } from './catalog-handlers.ts'
import { createArtifact } from './create-artifact.ts'
import { createTask } from './create-task.ts'
import { deleteSession } from './delete-session.ts'
import { getArtifact } from './get-artifact.ts'
import { getSession } from './get-session.ts'
import { getTask } from './get-task.ts'
import type { Handlers } from './handler.ts'
import { listArtifacts } from './list-artifacts.ts'
import { listTasks } from './list-tasks.ts'
import { poolHandlers } from './pool-handlers.ts'
import { putSession } from './put-session.ts'
import { streamTask } from './stream-task.ts'

/** What the handlers work with. */
export interface Services {
  readonly admission: Admission
  readonly artifacts: Artifacts
  readonly cancellation: Cancellation
  readonly catalog: Catalog
  readonly drain: Drain
  readonly pools: Pools
  readonly reload: Reload
  readonly sessions: Sessions
  readonly streams: Streams
  readonly tasks: Tasks
}

/** The map from operationId to handler. */
export const createHandlers = (services: Services): Handlers => ({
  createTask: createTask(services),
  getTask: getTask(services),
  listTasks: listTasks(services),
  streamTask: streamTask(services),
  cancelTask: cancelTask(services),
  getSession: getSession(services),
  putSession: putSession(services),
  deleteSession: deleteSession(services),
  ...poolHandlers(services),
  ...catalogHandlers(services),
  createArtifact: createArtifact(services),
  getArtifact: getArtifact(services),
  listArtifacts: listArtifacts(services),
})
