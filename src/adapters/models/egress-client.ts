import type { Agent, Dispatcher } from 'undici'
import type { EgressRules } from '../../domain/catalog/egress.ts'
import { codeOf } from '../../domain/errors.ts'
import { FetchError } from '../../ports/model-source.ts'
import { guardedConnect, type Resolve } from './guarded-connect.ts'

/** An answer whose body has not been read. */
export type Answer = Dispatcher.ResponseData

/** Most redirects that are followed. */
const maxRedirects = 5
const redirects: readonly number[] = [301, 302, 303, 307, 308]
/** Bytes of a redirect's body that are read to keep its connection; one with more is closed. */
const redirect_bytes = 16_384

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
  /** Made for the first request: a daemon that fetches nothing does without the HTTP client. */
  private agent: Promise<Agent> | undefined

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
   * Follows redirects to the answer; who does not read its body to the end has to `discard` it.
   * @throws FetchError; the signal's reason where it aborts
   */
  async get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    let at = parse(url, undefined, 'the source')
    const first = at.origin
    let authorization = this.credentials.get(first)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const refused = this.rules.refusal(at)
      if (refused !== undefined) throw new FetchError('refused', hop === 0 ? refused : `a redirect leads to ${refused}`)
      const answer = await this.ask(at, authorization === undefined ? headers : { ...headers, Authorization: authorization }, signal)
      if (!redirects.includes(answer.statusCode)) return answer
      await answer.body.dump({ limit: redirect_bytes, signal })
      const location = headerOf(answer, 'location')
      if (location === undefined) throw new FetchError('refused', `${at.host} answers with a redirect to nowhere`)
      at = parse(location, at, `a redirect by ${at.host}`)
      // Once it has left the origin it stays without, even if it is led back.
      if (at.origin !== first) authorization = undefined
    }
    throw new FetchError('refused', `more than ${maxRedirects} redirects`)
  }

  private async ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    try {
      this.agent ??= makeAgent(this.rules, this.resolve)
      return await (
        await this.agent
      ).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: { 'User-Agent': 'orchestratord', 'Accept-Encoding': 'identity', ...headers },
        signal,
      })
    } catch (error) {
      return fail(url, error, signal)
    }
  }
}

/** Value of a header, the values of one that came several times with commas between; undefined where it did not come. */
export function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}

/** Closes the connection of an answer whose body nobody reads to the end. */
export function discard({ body }: Answer): void {
  body.on('error', () => undefined).destroy()
}

/** A pool of connections for each origin. Time limits of a request are its caller's, by the signal: these here are the system's clock. */
async function makeAgent(rules: EgressRules, resolve: Resolve): Promise<Agent> {
  const { Agent, buildConnector } = await import('undici')
  return new Agent({ connect: guardedConnect(buildConnector, rules, resolve), allowH2: false, headersTimeout: 0, bodyTimeout: 0 })
}

const resolveAll: Resolve = async (host) => {
  const { lookup } = await import('node:dns/promises')
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

function parse(location: string, base: URL | undefined, whose: string): URL {
  const url = URL.parse(location, base?.href)
  if (url === null) throw new FetchError('refused', `${whose} is not a URL`)
  return url
}

/** Codes of a certificate that is not the host's, or of a peer that does not speak TLS: trying again does not help. */
const tlsCode = /CERT|SELF_SIGNED|UNABLE_TO|ERR_SSL|ERR_TLS|EPROTO/

function fail(url: URL, error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw signal.reason
  if (error instanceof FetchError) throw error
  // Only the code: messages may repeat what a server sent.
  const code = codeOf(error)
  throw new FetchError(tlsCode.test(code) ? 'refused' : 'transient', `${url.host} cannot be reached (${code})`, { cause: error })
}
