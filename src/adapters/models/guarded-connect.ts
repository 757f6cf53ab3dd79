import { isIP, type LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'
import type { EgressRules } from '../../domain/catalog/egress.ts'
import { FetchError } from '../../ports/model-source.ts'

/** Addresses of a host. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** Most addresses of one host that are tried. */
const maxAddresses = 4
/** Longest time until a connection stands, ms. */
const connect_ms = 30_000

/**
 * Opens connections for undici, to addresses that the rules allow and to no other. A name is resolved here, and the connection goes to one
 * of the addresses that were looked at, so no second answer of the DNS can lead it elsewhere. Where none is allowed the error is a FetchError.
 */
export function guardedConnect(build: typeof buildConnector, rules: EgressRules, resolve: Resolve): buildConnector.connector {
  return (options, callback) => {
    const { hostname } = options
    const port = options.port === '' ? (options.protocol === 'https:' ? 443 : 80) : Number(options.port)
    const isAllowed = (address: string): boolean => rules.allowsAddress(address, port)
    const lookup: LookupFunction = (host, _options, found) => {
      const answer = (addresses: readonly string[]): void => {
        const allowed = addresses.filter(isAllowed).slice(0, maxAddresses)
        if (allowed.length === 0) found(refusal(hostname, port, addresses[0]), [])
        else
          found(
            null,
            allowed.map((address) => ({ address, family: isIP(address) })),
          )
      }
      resolve(host).then(answer, (error: unknown) => {
        found(error as Error, [])
      })
    }
    // Nobody looks an address up.
    if (isIP(hostname) !== 0 && !isAllowed(hostname)) {
      process.nextTick(callback, refusal(hostname, port, hostname), null)
      return
    }
    build({ allowH2: false, autoSelectFamily: true, timeout: connect_ms, lookup })(options, (...result) => {
      const [error, socket] = result
      if (error !== null || isAllowed(socket.remoteAddress ?? '')) {
        callback(...result)
        return
      }
      socket.destroy()
      callback(refusal(hostname, port, socket.remoteAddress), null)
    })
  }
}

function refusal(hostname: string, port: number, address: string | undefined): FetchError {
  if (address === undefined) return new FetchError('transient', `${hostname} has no address`)
  const listed = `${isIP(address) === 6 ? `[${address}]` : address}:${port}`
  return new FetchError(
    'refused',
    `${hostname} is at ${address}, which is not a public address; list ${listed} in catalog.egress.hosts to allow it`,
  )
}
