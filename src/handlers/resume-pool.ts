import type { Drain } from '../services/drain.ts'
import type { Handler } from './handler.ts'

/** POST /v1/pools/{id}/resume */
export const resumePool =
  ({ drain }: { readonly drain: Drain }): Handler<'resumePool'> =>
  ({ params }) => ({ status: 202, body: drain.resume(params.id).summary() })
