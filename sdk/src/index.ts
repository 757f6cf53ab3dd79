export type { BatchLine, BatchResult } from './batches.ts'
export { createClient, type Client, type ClientOptions } from './client.ts'
export { ApiError, ConnectionError, OrchestratordError, TaskFailed, type ErrorCode } from './errors.ts'
export type { FeedEvent, FeedOptions, FeedWish } from './events.ts'
export type { CallOptions, OwnedCall } from './http.ts'
export type { StreamOptions, TaskEvent, TaskRun } from './tasks.ts'
/** Types of everything in the contract: `components['schemas']['TaskRequest']` and the like. */
export type { components, operations, paths } from '../generated/contract.ts'
