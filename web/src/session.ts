import { signal } from '@preact/signals'
import { createClient, type Client } from '../../sdk/src/index.ts'

const stored = 'orchestratord.key'
/** What works on the same machine while no key is configured. */
const development = 'valid'
/** A page stays open over restarts and nights. */
const patience_ms = 7 * 86_400_000

const clientOf = (key: string | undefined): Client =>
  createClient({ baseUrl: location.origin, patience_ms, ...(key === undefined ? {} : { key }) })

/** The key that is asked with; undefined for none. It is kept as long as the tab, and never in an address. */
export const key = signal<string | undefined>(sessionStorage.getItem(stored) ?? undefined)
/** The way to the daemon. */
export const client = signal<Client>(clientOf(key.peek()))

/** Asks with another key from now on. @param keep whether the tab keeps it */
export function useKey(next: string | undefined, keep = true): void {
  if (keep && next !== undefined) sessionStorage.setItem(stored, next)
  else sessionStorage.removeItem(stored)
  key.value = next
  client.value = clientOf(next)
}

const isLoopback = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)

/** The next way to get in without asking anybody, after one that was refused: on this machine the key of a daemon that has none. */
export function anotherKey(): boolean {
  if (!isLoopback || key.peek() !== undefined) return false
  useKey(development, false)
  return true
}
