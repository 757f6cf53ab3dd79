import type { Admission } from '../services/tasks/admission.ts'
import type { Artifacts } from '../services/artifacts.ts'
import type { Batches } from '../services/batches/batches.ts'
import type { Files } from '../services/batches/files.ts'
import type { Cancellation } from '../services/tasks/cancellation.ts'
import type { Catalog } from '../services/catalog/catalog.ts'
import type { Drain } from '../services/operations/drain.ts'
import type { Pools } from '../services/pools/pools.ts'
import type { Reload } from '../services/operations/reload.ts'
import type { Sessions } from '../services/sessions/sessions.ts'
import type { DoorTasks } from '../services/tasks/door-tasks.ts'
import type { Streams } from '../services/tasks/streams.ts'
import type { UsageBook } from '../services/usage.ts'
import type { Tasks } from '../services/tasks/tasks.ts'
import { cancelTask } from './native/cancel-task.ts'
import { catalogHandlers } from './native/catalog-handlers.ts'
import { createArtifact } from './native/create-artifact.ts'
import { doorHandlers } from './door-handlers.ts'
import { createTask } from './native/create-task.ts'
import { deleteSession } from './native/delete-session.ts'
import { getArtifact } from './native/get-artifact.ts'
import { getSession } from './native/get-session.ts'
import { getUsage } from './native/get-usage.ts'
import { getTask } from './native/get-task.ts'
import type { Handlers } from './handler.ts'
import { listArtifacts } from './native/list-artifacts.ts'
import { listTasks } from './native/list-tasks.ts'
import { poolHandlers } from './native/pool-handlers.ts'
import { putSession } from './native/put-session.ts'
import { streamTask } from './native/stream-task.ts'

/** What the handlers work with. */
export interface Services {
  readonly admission: Admission
  readonly artifacts: Artifacts
  readonly cancellation: Cancellation
  readonly catalog: Catalog
  readonly batches: Batches
  readonly doorTasks: DoorTasks
  readonly drain: Drain
  readonly files: Files
  readonly pools: Pick<Pools, 'all' | 'get'>
  readonly reload: Reload
  readonly sessions: Sessions
  readonly streams: Streams
  readonly tasks: Tasks
  readonly usage: UsageBook
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
  getUsage: getUsage(services),
  createArtifact: createArtifact(services),
  getArtifact: getArtifact(services),
  listArtifacts: listArtifacts(services),
  ...doorHandlers(services),
})
