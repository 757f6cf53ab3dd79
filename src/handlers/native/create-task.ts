import { budgetHeaders } from '../../domain/accounts/budget.ts'
import type { Admission } from '../../services/tasks/admission.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/tasks */
export const createTask =
  ({ admission, sessions }: { readonly admission: Admission; readonly sessions: Sessions }): Handler<'createTask'> =>
  async ({ principal, body, correlation_id }) => {
    const accepted = await admission.admit(principal, body, correlation_id)
    const remaining = sessions.remaining(principal.name, body.session_id)
    return { status: 202, body: accepted, headers: { Location: `/v1/tasks/${accepted.task_id}`, ...budgetHeaders(remaining) } }
  }
