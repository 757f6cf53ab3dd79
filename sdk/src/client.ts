import type { components, operations } from '../generated/contract.ts'
import { batchesOf, filesOf } from './batches.ts'
import { eventsOf } from './events.ts'
import { bodyOf, done, httpOf, owned, type CallOptions, type HttpOptions, type OwnedCall, type Plain } from './http.ts'
import { systemTiming, type Timing } from './patience.ts'
import { tasksOf } from './tasks.ts'

type Schemas = components['schemas']
type Query<Op extends keyof operations> = operations[Op]['parameters']['query']

/** Where the daemon is, who asks, and how long a stream puts up with failures. */
export interface ClientOptions extends HttpOptions {
  /** How long a run or a stream may fail in a row, a restart of the daemon included, ms; also the longest that it lets itself be told to wait. 120,000 unless given. */
  readonly patience_ms?: number
}

/**
 * Everything the daemon can be asked for. Calls are made once and reject with an `ApiError` or a `ConnectionError`, which say whether and when
 * to try again; `tasks.run`, `tasks.stream` and `events` do that by themselves. `http` has every operation by its path, for what has no method here.
 */
export type Client = ReturnType<typeof clientOf>

/** A client of one daemon. */
export const createClient = (options: ClientOptions = {}): Client => clientOf(options, systemTiming)

/** A client on a time of its own. */
export function clientOf(options: ClientOptions, timing: Timing) {
  const http = httpOf(options)
  const link = { http, timing, patience_ms: options.patience_ms ?? 120_000 }
  return {
    http,
    tasks: tasksOf(link),
    /** What the daemon is doing, as it happens. */
    events: eventsOf(link),
    /** What can be asked of this daemon, by model and by pool. */
    capabilities: (options?: CallOptions) => bodyOf(http.GET('/v1/capabilities', { ...options })),
    /** What keys have used, by model and day, newest first; of all keys where the key has the role `control`. */
    usage: (query: Query<'getUsage'> = {}, options?: CallOptions) => bodyOf(http.GET('/v1/usage', { params: { query }, ...options })),
    /** The configuration that runs, without its secrets. */
    config: (options?: CallOptions) => bodyOf(http.GET('/v1/config', { ...options })),
    /** Files of requests, and what batches write. */
    files: filesOf(link),
    /** Many requests in one file, worked off beside everything else. */
    batches: batchesOf(link),
    sessions: {
      /** One page, newest first; of all keys where the key has the role `control`. */
      list: (query: Query<'listSessions'> = {}, options?: CallOptions) =>
        bodyOf(http.GET('/v1/sessions', { params: { query }, ...options })),
      get: (id: string, options?: OwnedCall) => bodyOf(http.GET('/v1/sessions/{id}', owned(id, options))),
      /** Creates it, or sets anew what it may use from now on. */
      put: (id: string, body: Schemas['SessionRequest'], options?: CallOptions) =>
        bodyOf(http.PUT('/v1/sessions/{id}', { body, ...at(id, options) })),
      delete: (id: string, options?: OwnedCall) => done(http.DELETE('/v1/sessions/{id}', owned(id, options))),
    },
    pools: {
      list: (options?: CallOptions) => bodyOf(http.GET('/v1/pools', { ...options })),
      health: (id: string, options?: CallOptions) => bodyOf(http.GET('/v1/pools/{id}/health', at(id, options))),
      /** Who runs and who waits, in the order in which they will start. */
      queue: (id: string, query: Query<'listQueue'> = {}, options?: CallOptions) =>
        bodyOf(http.GET('/v1/pools/{id}/queue', { params: { path: { id }, query }, ...options })),
      drain: (id: string, body: Schemas['DrainRequest'], options?: CallOptions) =>
        bodyOf(http.POST('/v1/pools/{id}/drain', { body, ...at(id, options) })) as Promise<Plain<Schemas['PoolSummary']>>,
      resume: (id: string, options?: CallOptions) => bodyOf(http.POST('/v1/pools/{id}/resume', at(id, options))),
      /** Puts another model on the pool; answers when it serves, or with the reason why the old one serves on. */
      reload: (id: string, body: Schemas['ReloadRequest'], options?: CallOptions) =>
        bodyOf(http.POST('/v1/pools/{id}/reload', { body, ...at(id, options) })),
      /** Loads its model now; another pool of its group makes room where there is none. */
      load: (id: string, options?: CallOptions) =>
        bodyOf(http.POST('/v1/pools/{id}/load', at(id, options))) as Promise<Plain<Schemas['PoolSummary']>>,
      /** Takes its model out of memory when what runs has ended. */
      unload: (id: string, options?: CallOptions) =>
        bodyOf(http.POST('/v1/pools/{id}/unload', at(id, options))) as Promise<Plain<Schemas['PoolSummary']>>,
      /** What would become of tasks if this were done now; nothing happens. */
      foresee: {
        drain: (id: string, body: Schemas['DrainRequest'], options?: CallOptions) =>
          bodyOf(http.POST('/v1/pools/{id}/drain', { body, ...dry(id, options) })) as Promise<Schemas['PoolForesight']>,
        load: (id: string, options?: CallOptions) =>
          bodyOf(http.POST('/v1/pools/{id}/load', dry(id, options))) as Promise<Schemas['PoolForesight']>,
        unload: (id: string, options?: CallOptions) =>
          bodyOf(http.POST('/v1/pools/{id}/unload', dry(id, options))) as Promise<Schemas['PoolForesight']>,
      },
    },
    artifacts: {
      create: (body: Schemas['Artifact'], options?: CallOptions) => bodyOf(http.POST('/v1/artifacts', { body, ...options })),
      get: (id: string, options?: OwnedCall) => bodyOf(http.GET('/v1/artifacts/{id}', owned(id, options))),
      list: (query: Query<'listArtifacts'> = {}, options?: CallOptions) =>
        bodyOf(http.GET('/v1/artifacts', { params: { query }, ...options })),
    },
    catalog: {
      create: (body: Schemas['CatalogModelRequest'], options?: CallOptions) =>
        bodyOf(http.POST('/v1/catalog/models', { body, ...options })),
      get: (id: string, options?: CallOptions) => bodyOf(http.GET('/v1/catalog/models/{id}', at(id, options))),
      list: (query: Query<'listCatalogModels'> = {}, options?: CallOptions) =>
        bodyOf(http.GET('/v1/catalog/models', { params: { query }, ...options })),
      delete: (id: string, options?: CallOptions) => done(http.DELETE('/v1/catalog/models/{id}', at(id, options))),
      verify: (id: string, options?: CallOptions) => bodyOf(http.POST('/v1/catalog/models/{id}/verify', at(id, options))),
      setState: (id: string, body: Schemas['ModelStateRequest'], options?: CallOptions) =>
        bodyOf(http.POST('/v1/catalog/models/{id}/state', { body, ...at(id, options) })),
    },
  }
}

/** The call of something by its id. */
const at = (id: string, options: CallOptions | undefined) => ({ params: { path: { id } }, ...options })

/** The same, asking only what would follow. */
const dry = (id: string, options: CallOptions | undefined) => ({ params: { path: { id }, query: { dry_run: true } }, ...options })
