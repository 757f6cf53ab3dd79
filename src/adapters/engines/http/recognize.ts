import { pause, type Clock } from '../../../ports/clock.ts'
import type { AskServer, EngineDriver } from '../../../ports/engine-definition.ts'
import { EngineClient } from './client.ts'
import { EngineFault } from './faults.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { rootUrl } from './server-engine.ts'

/** How long a server may take to answer, and to load its model, ms. */
const answer_ms = 5000
const loading_ms = 120_000
/** Pause before a server that loads its model is asked again, ms. */
const pause_ms = 250

/** A kind of engine that a server may be of. */
export interface ServerKind {
  readonly engine: string
  readonly recognize: NonNullable<EngineDriver['recognize']>
}

/** What a server is. */
export interface RecognizedServer {
  readonly engine: string
  /** Names of the models that it serves; may be none. */
  readonly models: readonly string[]
}

/**
 * Finds out what answers at a URL: the first of the kinds whose server it is. A server that loads its model is waited for.
 * @throws EngineFault where nobody answers, where a key is needed, or where it is none of them
 */
export async function recognizeServer(
  url: string,
  kinds: readonly ServerKind[],
  clock: Clock,
  api_key?: string,
): Promise<RecognizedServer> {
  const client = await EngineClient.open({ url: rootUrl(url), clock, api_key })
  try {
    const ask = askerOf(client, clock, api_key === undefined)
    for (const { engine, recognize } of kinds) {
      const models = await recognize(ask)
      if (models !== undefined) return { engine, models }
    }
    throw new EngineFault('refused', `what answers is none of ${kinds.map(({ engine }) => engine).join(', ')}`)
  } finally {
    await client.close(new Error('the server is known'))
  }
}

function askerOf(client: EngineClient, clock: Clock, keyless: boolean): AskServer {
  const patience_until = clock.now() + loading_ms
  const once = async (path: string, body?: object): Promise<Json> => {
    const limit = new AbortController()
    const cancel = clock.after(answer_ms, () => limit.abort(new EngineFault('unreachable', `nothing came within ${answer_ms} ms`)))
    try {
      return body === undefined ? await client.value(path, limit.signal) : await client.postForValue(path, body, limit.signal)
    } finally {
      cancel()
    }
  }
  return async (path, body) => {
    for (;;) {
      try {
        return await once(path, body)
      } catch (error) {
        if (!(error instanceof EngineFault) || error.kind === 'unreachable' || error.kind === 'broken') throw error
        if (error.status === 401 || error.status === 403) throw keyless ? wantsKey(error) : error
        if (error.kind !== 'busy') return undefined
        if (clock.now() > patience_until) throw error
        await pause(clock, pause_ms, new AbortController().signal)
      }
    }
  }
}

const wantsKey = (cause: EngineFault): EngineFault =>
  new EngineFault('failed', 'it wants a key: give it in a configuration file, with url and api_key_env', { cause })

/** What a server answered where that is an object; an empty one where not. */
export const given = (value: unknown): JsonObject => (isObject(value as Json) ? (value as JsonObject) : {})

/** The names in a list of objects, under a key; undefined where it is no list. */
export function named(list: unknown, key: string): readonly string[] | undefined {
  if (!Array.isArray(list)) return undefined
  return list.flatMap((item: unknown) => {
    const name = given(item)[key]
    return typeof name === 'string' && name !== '' ? [name] : []
  })
}

/** The models of an OpenAI list; undefined where it is none. @param owner only where every model of the list is said to be owned by it */
export function listed(list: unknown, owner?: string): readonly string[] | undefined {
  const { data } = given(list)
  const models = named(data, 'id')
  if (owner === undefined || !(data instanceof Array)) return models
  return data.length > 0 && data.every((model) => given(model)['owned_by'] === owner) ? models : undefined
}
