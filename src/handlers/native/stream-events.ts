import type { Feed } from '../../services/feed/feed.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/events */
export const streamEvents =
  ({ feed }: { readonly feed: Pick<Feed, 'open'> }): Handler<'streamEvents'> =>
  ({ principal, query, headers }) => ({ status: 200, stream: feed.open(principal, query, headers['last-event-id']) })
