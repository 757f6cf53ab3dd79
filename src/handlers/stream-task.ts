import type { Streams } from '../services/streams.ts'
import type { Handler } from './handler.ts'

/** GET /v1/tasks/{id}/stream */
export const streamTask =
  ({ streams }: { readonly streams: Streams }): Handler<'streamTask'> =>
  async ({ principal, params, headers }) => {
    const stream = await streams.open(principal, params.id, headers['last-event-id'])
    return stream === undefined ? { status: 204 } : { status: 200, stream }
  }
