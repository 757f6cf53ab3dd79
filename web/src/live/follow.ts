import { effect, signal } from '@preact/signals'
import { ApiError, type Client, type OrchestratordError } from '../../../sdk/src/index.ts'
import { anotherKey, client, useKey } from '../session.ts'
import { addFailed, endedOf, live, take } from './store.ts'

/** How the page stands to the daemon. */
export type Link =
  /** @property why the daemon does not let it in for now */
  | { readonly state: 'connecting'; readonly why?: string }
  | { readonly state: 'live' }
  /** Nothing has been heard for a while. @property since this machine's time of the last word, ms since 1970 */
  | { readonly state: 'stale'; readonly since: number }
  /** The daemon wants a key, or a different one. */
  | { readonly state: 'refused'; readonly why: string }

/** After so long a silence nothing that is shown may be taken for true, ms. The daemon says something every 2 s. */
const silence_ms = 5000

export const link = signal<Link>({ state: 'connecting' })
let heardAt = Date.now()

function heard(): void {
  heardAt = Date.now()
  if (link.peek().state !== 'live' && live.viewer.peek() !== undefined) link.value = { state: 'live' }
}

setInterval(() => {
  const { state } = link.peek()
  if (state === 'live' && Date.now() - heardAt >= silence_ms) link.value = { state: 'stale', since: heardAt }
}, 250)

/** Follows the feed for as long as the page is open, with the key that it has. */
export const followFeed = (): void =>
  void effect(() => {
    const stop = new AbortController()
    live.viewer.value = undefined
    link.value = { state: 'connecting' }
    void follow(client.value, stop.signal)
    return () => stop.abort()
  })

/** A daemon that is gone is seen by its silence; one that answers says why. */
function failed(error: OrchestratordError): void {
  if (error instanceof ApiError && live.viewer.peek() === undefined) link.value = { state: 'connecting', why: error.message }
}

async function follow(from: Client, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of from.events({}, { signal, heard, failed })) {
      take(event)
      heard()
      if (event.event === 'snapshot') void failedBefore(from, signal)
    }
  } catch (error) {
    if (signal.aborted) return
    const refused = error instanceof ApiError && (error.status === 401 || error.status === 403)
    if (refused && anotherKey()) return
    link.value = { state: 'refused', why: error instanceof Error ? error.message : String(error) }
  }
}

const failed_before = 30

/** Reads what did not complete before the feed began to tell. */
async function failedBefore({ tasks }: Client, signal: AbortSignal): Promise<void> {
  const lists = (['failed', 'canceled'] as const).map((state) => tasks.list({ state, limit: failed_before }, { signal }))
  // The feed tells what fails from now on, and says itself when the daemon is gone.
  const pages = await Promise.all(lists).catch(() => [])
  addFailed(pages.flatMap((page) => page.tasks).flatMap((task) => endedOf(task)))
}

/** Asks with a key that somebody has typed. */
export const signIn = (key: string): void => useKey(key)
