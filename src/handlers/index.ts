import { anthropicHandlers } from './anthropic/anthropic-handlers.ts'
import { cancelTask } from './native/cancel-task.ts'
import { catalogHandlers } from './native/catalog-handlers.ts'
import { createArtifact } from './native/create-artifact.ts'
import { createTask } from './native/create-task.ts'
import { getArtifact } from './native/get-artifact.ts'
import { getConfig } from './native/get-config.ts'
import { getUsage } from './native/get-usage.ts'
import { getTask } from './native/get-task.ts'
import type { Handlers } from './handler.ts'
import type { Services } from './services.ts'
import { listArtifacts } from './native/list-artifacts.ts'
import { listTasks } from './native/list-tasks.ts'
import { poolHandlers } from './native/pool-handlers.ts'
import { sessionHandlers } from './native/session-handlers.ts'
import { streamEvents } from './native/stream-events.ts'
import { streamTask } from './native/stream-task.ts'
import { openAiHandlers } from './openai/openai-handlers.ts'

/** The map from operationId to handler. */
export const createHandlers = (services: Services): Handlers => ({
  createTask: createTask(services),
  getTask: getTask(services),
  listTasks: listTasks(services),
  streamTask: streamTask(services),
  streamEvents: streamEvents(services),
  cancelTask: cancelTask(services),
  ...sessionHandlers(services),
  ...poolHandlers(services),
  ...catalogHandlers(services),
  getUsage: getUsage(services),
  getConfig: getConfig(services),
  createArtifact: createArtifact(services),
  getArtifact: getArtifact(services),
  listArtifacts: listArtifacts(services),
  ...anthropicHandlers(services),
  ...openAiHandlers(services),
})
