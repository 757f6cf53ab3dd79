import createFetch, { type Client } from 'openapi-fetch'
import type { paths as BatchPaths } from '../generated/batches.ts'
import type { paths } from '../generated/contract.ts'
import { ApiError } from './errors.ts'
import { asConnectionError } from './patience.ts'

/** Where the daemon is and who asks. */
export interface HttpOptions {
  /** `http://127.0.0.1:8080` unless given. */
  readonly baseUrl?: string
  /** The API key; goes out as `X-API-Key`. */
  readonly key?: string
  /** Goes out with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the platform's. */
  readonly fetch?: (request: Request) => Promise<Response>
}

/** Every operation of the contract by its path, typed, files and batches of the door of OpenAI among them: what `client.http` is for. */
export type Http = Client<paths & BatchPaths>

/** How one call is made. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A call about something that may be another key's, which the role `control` reaches by naming its owner. */
export interface OwnedCall extends CallOptions {
  /** Name of the key that it belongs to; the caller's own unless given. */
  readonly owner?: string | undefined
}

export function httpOf({ baseUrl = 'http://127.0.0.1:8080', key, headers, fetch }: HttpOptions): Http {
  return createFetch<paths & BatchPaths>({
    baseUrl,
    headers: { ...headers, ...(key === undefined ? {} : { 'X-API-Key': key }) },
    ...(fetch === undefined ? {} : { fetch }),
  })
}

/** The call of something by its id, its own or another key's. */
export const owned = (id: string, { owner, ...options }: OwnedCall = {}) => ({
  params: { path: { id }, query: owner === undefined ? {} : { owner } },
  ...options,
})

interface Answer<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

/** The contract's type of a body: openapi-fetch takes the open end of an enum, `string & {}`, apart into the methods of a string. */
export type Plain<T> = T extends string | number | boolean | null | undefined | ReadableStream
  ? T
  : T extends { readonly charCodeAt: unknown }
    ? string & {}
    : { [K in keyof T]: Plain<T[K]> }

/**
 * The body of an answer.
 * @throws ApiError for an error status, ConnectionError where there is no answer
 */
export async function bodyOf<T>(call: Promise<Answer<T>>): Promise<Plain<T>> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    throw asConnectionError(reason)
  })
  if (!response.ok) throw new ApiError(response, error)
  // What has a success status has the body that the contract declares for it.
  return data as Plain<T>
}

/** The same for an answer without a body. */
export async function done(call: Promise<Answer<unknown>>): Promise<void> {
  await bodyOf(call)
}
