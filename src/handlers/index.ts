import type { Admission } from '../services/tasks/admission.ts'
import type { Artifacts } from '../services/artifacts.ts'
import type { Cancellation } from '../services/tasks/cancellation.ts'
import type { Catalog } from '../services/catalog/catalog.ts'
import type { Drain } from '../services/operations/drain.ts'
import type { Pools } from '../services/pools/pools.ts'
import type { Reload } from '../services/operations/reload.ts'
import type { Sessions } from '../services/sessions/sessions.ts'
import type { Streams } from '../services/tasks/streams.ts'
import type { UsageBook } from '../services/usage.ts'
import type { Tasks } from '../services/tasks/tasks.ts'
import { cancelTask } from './native/cancel-task.ts'
import { catalogHandlers } from './native/catalog-handlers.ts'
import { createArtifact } from './native/create-artifact.ts'
import { doorHandlers, type DoorServices } from './door-handlers.ts'
import { createTask } from './native/create-task.ts'
import { getArtifact } from './native/get-artifact.ts'
import { getUsage } from './native/get-usage.ts'
import { getTask } from './native/get-task.ts'
import type { Handlers } from './handler.ts'
import { listArtifacts } from './native/list-artifacts.ts'
import { listTasks } from './native/list-tasks.ts'
import { poolHandlers } from './native/pool-handlers.ts'
import { sessionHandlers } from './native/session-handlers.ts'
import { streamTask } from './native/stream-task.ts'

/** What the handlers work with. */
export interface Services extends DoorServices {
  readonly admission: Admission
  readonly artifacts: Artifacts
  readonly cancellation: Cancellation
  readonly catalog: Catalog
  readonly drain: Drain
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
  ...sessionHandlers(services),
  ...poolHandlers(services),
  ...catalogHandlers(services),
  getUsage: getUsage(services),
  createArtifact: createArtifact(services),
  getArtifact: getArtifact(services),
  listArtifacts: listArtifacts(services),
  ...doorHandlers(services),
})
