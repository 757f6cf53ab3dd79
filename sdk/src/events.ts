import type { components } from '../generated/contract.ts'
import type { OrchestratordError } from './errors.ts'
import { bodyOf, type CallOptions } from './http.ts'
import { parsed, resumed, type Link } from './resumed.ts'

/**
 * What the feed tells, by the name of the event. A newer daemon may send events that are not in this type, so leave a `default` that does
 * nothing.
 */
export type FeedEvent = components['schemas']['FeedEvent']

/** What is wanted of the feed. */
export interface FeedWish {
  /** Pools whose waiting tasks are told; the first 8 unless given. */
  readonly pools?: readonly string[] | undefined
  /** How many of each, 0 to 100; 30 unless given. */
  readonly rows?: number | undefined
  /** Ids of tasks that are told wherever they wait. */
  readonly tasks?: readonly string[] | undefined
}

/** How the feed is read. */
export interface FeedOptions extends CallOptions {
  /** Called each time the daemon says anything, every 2 s at least: what was shown is true a moment ago. */
  readonly heard?: () => void
  /** Called each time the daemon refuses or breaks off, before it is asked again. */
  readonly failed?: (error: OrchestratordError) => void
}

/** The daemon says something every 2 s at least. */
const silence_ms = 10_000

export const eventsOf =
  (link: Link) =>
  /**
   * Tells all there is to see, then what changes, until the loop is left or the signal aborts. After a broken connection or a restart of the
   * daemon it goes on where the last event was, or with a new `snapshot`.
   * @throws ApiError, ConnectionError once patience ends; the signal's reason where it aborts
   */
  (wish: FeedWish = {}, options: FeedOptions = {}): AsyncGenerator<FeedEvent, void, undefined> =>
    watch(link, wish, options)

async function* watch(
  link: Link,
  { pools, rows, tasks }: FeedWish,
  { signal, heard, failed }: FeedOptions,
): AsyncGenerator<FeedEvent, void, undefined> {
  const query = {
    ...(pools === undefined ? {} : { pools: pools.join(',') }),
    ...(rows === undefined ? {} : { rows }),
    ...(tasks === undefined || tasks.length === 0 ? {} : { tasks: tasks.join(',') }),
  }
  const open = (last: string | undefined) =>
    bodyOf(
      link.http.GET('/v1/events', {
        params: { query, ...(last === undefined ? {} : { header: { 'Last-Event-ID': last } }) },
        parseAs: 'stream',
        ...(signal === undefined ? {} : { signal }),
      }),
    )
  for await (const { event, id, data } of resumed(link, { signal, last_event_id: undefined, silence_ms, open, heard, failed }))
    yield { event, ...(id === undefined ? {} : { id }), data: parsed(data) } as FeedEvent
}
