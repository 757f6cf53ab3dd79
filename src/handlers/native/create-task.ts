import { budgetHeaders } from '../../domain/accounts/budget.ts'
import { wantsStream } from '../../doors/native/accept.ts'
import { nativeFormat } from '../../doors/native/frames.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Admission } from '../../services/tasks/admission.ts'
import type { Streams } from '../../services/tasks/streams.ts'
import type { Handler } from '../handler.ts'

/** What createTask works with. */
interface CreateTaskParts {
  readonly admission: Admission
  readonly sessions: Sessions
  readonly streams: Streams
}

/** POST /v1/tasks */
export const createTask =
  ({ admission, sessions, streams }: CreateTaskParts): Handler<'createTask'> =>
  async ({ principal, body, headers, correlation_id }) => {
    const accepted = await admission.admit(principal, body, correlation_id)
    const { task_id } = accepted
    const remaining = sessions.remaining(principal.name, body.session_id ?? task_id)
    const own = { Location: `/v1/tasks/${task_id}`, ...budgetHeaders(remaining) }
    if (!wantsStream(headers['accept'])) return { status: 202, body: accepted, headers: own }
    // Its own task, whatever others have under this id.
    const { reader } = await streams.open(principal, task_id, { kind: 'start' }, nativeFormat)
    return { status: 200, stream: reader, headers: own }
  }
