import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { DomainError } from '../domain/errors.ts'
import { isLoopbackAddress } from '../domain/loopback.ts'
import type { Principal, Role } from '../domain/principal.ts'
import { stateOf } from './request-state.ts'

/** A configured key. */
export interface KnownKey {
  readonly name: string
  /** SHA-256 of the key, hex. */
  readonly key_sha256: string
  readonly roles: readonly Role[]
}

/** Who gets in. */
export interface AuthRules {
  readonly require_api_key: boolean
  /** With none, the development key works for local requests. */
  readonly keys: readonly KnownKey[]
}

const developmentKey = 'valid'
const howToConfigure = 'Configure keys under auth.keys in orchestratord.yaml or with ORCHD_API_KEYS=name:key.'

/** What proxies say of themselves, or of the client behind them: by whole names, by beginnings and by ends. */
const proxyHeaders =
  /^(forwarded|via|cdn-loop|(x-forwarded|x-original|x-envoy|x-azure|x-arr|x-appengine|fly|cf)-.+|.*(client|connecting|real|user)-?ip)$/

/**
 * Why a request does not count as made on this machine by its own user; undefined where it does. A page of another origin, a name that
 * resolves here by trickery and a proxy in front all show in the headers.
 */
export function notLocalBecause(req: IncomingMessage): string | undefined {
  if (!isLoopbackAddress(req.socket.remoteAddress ?? '')) return 'the peer is not on this machine'
  const host = req.headers.host ?? ''
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?$/i.test(host)) return 'the Host header does not name this machine'
  // Older than HTTP/1.1 are proxies that say nothing of themselves.
  if (req.httpVersion !== '1.1') return `the request came with HTTP/${req.httpVersion}, as proxies send it`
  const proxied = Object.keys(req.headers).find((name) => proxyHeaders.test(name))
  if (proxied !== undefined) return `the request came through a proxy (${proxied})`
  const { origin } = req.headers
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) return 'the Origin header names another origin'
  return undefined
}

const everything: readonly Role[] = ['data', 'control']

/**
 * Finds the principal of a request from `X-API-Key` or `Authorization: Bearer`.
 * Keys are compared as SHA-256 digests in constant time, all of them, so that timing tells nothing.
 */
export function authenticate(rules: AuthRules): RequestHandler {
  const keys = rules.keys.map(({ name, roles, key_sha256 }) => ({ digest: digestFromHex(key_sha256), principal: { name, roles } }))
  const developmentOnly = keys.length === 0
  if (developmentOnly) keys.push({ digest: digest(developmentKey), principal: { name: 'development', roles: everything } })

  const identify = (req: IncomingMessage): Principal => {
    const key = presentedKey(req)
    if (key === undefined) {
      if (rules.require_api_key) throw new DomainError('unauthenticated', 'Send a key as X-API-Key or Authorization: Bearer.')
      requireLocal(req, 'Without a key')
      return { name: 'local', roles: everything }
    }
    const given = digest(key)
    let found: Principal | undefined
    for (const known of keys) if (timingSafeEqual(known.digest, given)) found = known.principal
    if (found === undefined)
      throw new DomainError('wrong_key', developmentOnly ? `The key is wrong. ${howToConfigure}` : 'The key is wrong.')
    if (developmentOnly) requireLocal(req, 'The development key')
    return found
  }

  return (req, _res, next) => {
    stateOf(req).principal = identify(req)
    next()
  }
}

const digestFromHex = (hex: string): Buffer => Buffer.from(hex, 'hex')
// By way of hex: a buffer made here is cheaper than one that the hash makes.
const digest = (key: string): Buffer => digestFromHex(hash('sha256', key))

function presentedKey(req: IncomingMessage): string | undefined {
  const header = req.headers['x-api-key']
  if (typeof header === 'string' && header !== '') return header
  return /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1]
}

function requireLocal(req: IncomingMessage, what: string): void {
  const reason = notLocalBecause(req)
  if (reason !== undefined)
    throw new DomainError('forbidden', `${what} works only for requests from this machine, and ${reason}. ${howToConfigure}`)
}
