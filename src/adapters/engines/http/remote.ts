import type { Engine } from '../../../ports/engine.ts'
import type { EngineParts } from '../../../ports/engine-definition.ts'
import type { Dialect } from './dialect.ts'
import { HttpEngine } from './engine.ts'

/** What pools of servers have. */
interface RemotePool {
  readonly url?: string
  readonly replayable: boolean | 'probe'
}

type Replica = EngineParts['replica']

/** Where a replica's server is. The configuration has seen that there is a URL. */
export function serverUrl(pool: Pick<RemotePool, 'url'>, replica: Replica): string {
  const url = replica.url ?? pool.url
  if (url === undefined) throw new Error(`replica ${replica.id} has no url`)
  return url
}

/** Where a server is whose calls are all over the place: without the `/v1` that users copy from other tools. */
export const rootUrl = (url: string): string => url.replace(/\/(v1\/?)?$/, '')

/** The engine of a replica that is a server. */
export function remoteEngine(
  parts: Omit<EngineParts<RemotePool>, 'modelFile'>,
  dialect: Dialect,
  url = serverUrl(parts.pool, parts.replica),
): Engine {
  const { pool, replica, clock, api_key } = parts
  return new HttpEngine({ dialect, url, api_key, slots: replica.slots, replayable: pool.replayable, clock })
}
