import { lookup } from 'node:dns/promises'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP } from 'node:net'
import { hostOf, portOf, type EgressRules } from '../../domain/catalog/egress.ts'
import { FetchError } from '../../ports/model-source.ts'

/** Addresses of a host. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** Most redirects that are followed. */
const maxRedirects = 5
/** Most addresses of one host that are tried. */
const maxAddresses = 4
const redirects: readonly (number | undefined)[] = [301, 302, 303, 307, 308]

export interface EgressClientOptions {
  readonly rules: EgressRules
  /** What is sent as `Authorization` to an origin, and to no other. */
  readonly credentials: ReadonlyMap<string, string>
  readonly resolve?: Resolve
}

/** GET requests that stay within the egress rules: at the first URL, at each redirect, and at the address a connection goes to. */
export class EgressClient {
  private readonly rules: EgressRules
  private readonly credentials: ReadonlyMap<string, string>
  private readonly resolve: Resolve

  constructor({ rules, credentials, resolve = resolveAll }: EgressClientOptions) {
    this.rules = rules
    this.credentials = credentials
    this.resolve = resolve
  }

  /** Why this URL may not be asked for; undefined where it may. */
  refusal(url: string): string | undefined {
    const parsed = URL.parse(url)
    return parsed === null ? 'it is not a URL' : this.rules.refusal(parsed)
  }

  /**
   * Follows redirects to the answer, whose body has not been read.
   * @throws FetchError; the signal's reason where it aborts
   */
  async get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    let at = parse(url, undefined, 'the source')
    const first = at.origin
    let authorization = this.credentials.get(first)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const refused = this.rules.refusal(at)
      if (refused !== undefined) throw new FetchError('refused', hop === 0 ? refused : `a redirect leads to ${refused}`)
      const response = await this.connect(at, authorization === undefined ? headers : { ...headers, Authorization: authorization }, signal)
      if (!redirects.includes(response.statusCode)) return response
      response.destroy()
      const { location } = response.headers
      if (location === undefined) throw new FetchError('refused', `${at.host} answers with a redirect to nowhere`)
      at = parse(location, at, `a redirect by ${at.host}`)
      // Once it has left the origin it stays without, even if it is led back.
      if (at.origin !== first) authorization = undefined
    }
    throw new FetchError('refused', `more than ${maxRedirects} redirects`)
  }

  /** The name is resolved here and the connection goes to an address that was looked at, so no second answer of the DNS can lead it elsewhere. */
  private async connect(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    const host = hostOf(url)
    const port = portOf(url)
    const addresses =
      isIP(host) === 0 ? await untilAborted(this.resolve(host), signal).catch((error: unknown) => fail(url, error, signal)) : [host]
    const allowed = addresses.filter((address) => this.rules.allowsAddress(address, port))
    const [refused] = addresses
    if (refused === undefined) throw new FetchError('transient', `${url.hostname} has no address`)
    if (allowed.length === 0)
      throw new FetchError(
        'refused',
        `${url.hostname} is at ${refused}, which is not a public address; list ${isIP(refused) === 6 ? `[${refused}]` : refused}:${port} in catalog.egress.hosts to allow it`,
      )
    let last: unknown
    for (const address of allowed.slice(0, maxAddresses)) {
      try {
        return await exchange(url, address, headers, signal)
      } catch (error) {
        last = error
        if (signal.aborted) break
      }
    }
    return fail(url, last, signal)
  }
}

const resolveAll: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

function parse(location: string, base: URL | undefined, whose: string): URL {
  const url = URL.parse(location, base?.href)
  if (url === null) throw new FetchError('refused', `${whose} is not a URL`)
  return url
}

/** One request on a connection of its own, to this very address. */
function exchange(url: URL, address: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? tlsRequest : plainRequest)(
      {
        host: address,
        port: portOf(url),
        path: url.pathname + url.search,
        // The certificate has to be the name's, whatever the address.
        ...(secure ? { servername: isIP(hostOf(url)) === 0 ? hostOf(url) : '' } : {}),
        headers: { Host: url.host, 'User-Agent': 'orchestratord', 'Accept-Encoding': 'identity', ...headers },
        agent: false,
        signal,
      },
      resolve,
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Codes of a certificate that is not the host's, or of a peer that does not speak TLS: trying again does not help. */
const tlsCode = /CERT|SELF_SIGNED|UNABLE_TO|ERR_SSL|ERR_TLS|EPROTO/

function fail(url: URL, error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw signal.reason
  if (error instanceof FetchError) throw error
  // Only the code: messages may repeat what a server sent.
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error'
  throw new FetchError(tlsCode.test(code) ? 'refused' : 'transient', `${url.host} cannot be reached (${code})`, { cause: error })
}

/** What a promise gives, unless the signal aborts first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
