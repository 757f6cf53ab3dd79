import { BlockList, isIP } from 'node:net'

// What no download may reach unless it is listed by address. IPv4: IANA's special-purpose registry with AS112 and AMT, multicast and reserved space.
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
// IPv6: everything outside of 2000::/3 (which takes in loopback, link-local, unique local, multicast, IPv4-mapped and NAT64), and inside
// of it what carries IPv4 addresses, is not routed, or is AS112.
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]

const special = new BlockList()
for (const [net, prefix] of special4) special.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of special6) special.addSubnet(net, prefix, 'ipv6')
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

/** Whether an IP address is one of the public internet; false for anything that is not an IP address. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return !special.check(address, 'ipv4')
  return version === 6 && global6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** One entry of the allow-list: a host, `*.` and a domain for every host below it, or an IP address; 443 where it names no port. */
interface Entry {
  readonly host: string
  readonly port: number
}

function parseEntry(entry: string): Entry {
  const [, host = '', port = '443'] = /^(\[[^\]]+\]|[^:]+)(?::([0-9]+))?$/.exec(entry) ?? []
  return { host: canonicalHost(host), port: Number(port) }
}

/** A host as URLs spell it, an IPv6 address without its brackets. */
const canonicalHost = (host: string): string => {
  const name = host.startsWith('*.') ? host.slice(2) : host
  const spelled = URL.parse(`https://${name}/`)?.hostname ?? name.toLowerCase()
  return (host.startsWith('*.') ? '*.' : '') + bare(spelled)
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '')

/** Host of a URL, an IPv6 address without its brackets. */
export const hostOf = (url: URL): string => bare(url.hostname)

/** Port of a URL, the scheme's own where it names none. */
export const portOf = (url: URL): number => (url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port))

/** Where downloads may go. */
export class EgressRules {
  private readonly entries: readonly Entry[]
  private readonly plain_origin: string | undefined

  /**
   * @param hosts the allow-list; with none, nothing may be fetched
   * @param hf_endpoint the hub; the only origin that may be spoken to without TLS, if it is configured so
   */
  constructor(hosts: readonly string[], hf_endpoint: string) {
    this.entries = hosts.map(parseEntry)
    const hub = URL.parse(hf_endpoint)
    this.plain_origin = hub?.protocol === 'http:' ? hub.origin : undefined
  }

  /** Why this may not be asked for; undefined where it may. Never repeats more of the URL than its host. */
  refusal(url: URL): string | undefined {
    if (url.protocol !== 'https:' && url.origin !== this.plain_origin) return `${url.protocol}//${url.host} is not https`
    if (url.username !== '' || url.password !== '') return `the URL for ${url.host} holds a user or a password`
    const host = hostOf(url)
    const port = portOf(url)
    if (
      this.entries.some(
        (entry) =>
          entry.port === port &&
          (entry.host === host || (entry.host.startsWith('*.') && isIP(host) === 0 && host.endsWith(entry.host.slice(1)))),
      )
    )
      return undefined
    return `${url.hostname}:${port} is not in catalog.egress.hosts`
  }

  /** Whether a connection may go to this address: a public one, or one that is listed itself. */
  allowsAddress(address: string, port: number): boolean {
    if (isIP(address) === 0) return false
    return isPublicAddress(address) || this.entries.some((entry) => entry.host === canonicalAddress(address) && entry.port === port)
  }
}

/** An address in the spelling of URLs: lower case, the longest run of zeros left out. */
const canonicalAddress = (address: string): string => (isIP(address) === 6 ? canonicalHost(`[${address}]`) : address)
