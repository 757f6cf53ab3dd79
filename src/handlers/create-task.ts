import type { Admission } from '../services/admission.ts'
import type { Handler } from './handler.ts'

/** POST /v1/tasks */
export const createTask =
  ({ admission }: { readonly admission: Admission }): Handler<'createTask'> =>
  async ({ principal, body, correlation_id }) => {
    const accepted = await admission.admit(principal, body, correlation_id)
    return { status: 202, body: accepted, headers: { Location: `/v1/tasks/${accepted.task_id}` } }
  }
