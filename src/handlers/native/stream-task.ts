import { actingFor } from '../../domain/principal.ts'
import { budgetHeaders } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import { resumePoint } from '../../doors/native/event-id.ts'
import { nativeFormat } from '../../doors/native/frames.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Streams } from '../../services/tasks/streams.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/tasks/{id}/stream */
export const streamTask =
  ({ streams, sessions }: { readonly streams: Streams; readonly sessions: Sessions }): Handler<'streamTask'> =>
  async ({ principal, params, query, headers }) => {
    const from = resumePoint(headers['last-event-id'])
    if (from === undefined)
      throw new DomainError('invalid_params', 'header.Last-Event-ID: not an id of this stream; leave it out to read from the start')
    const opened = await streams.open(actingFor(principal, query.owner), params.id, from, nativeFormat)
    if (opened === undefined) return { status: 204 }
    const { reader, task } = opened
    return { status: 200, stream: reader, headers: budgetHeaders(sessions.remaining(task.owner, task.request.session_id)) }
  }
