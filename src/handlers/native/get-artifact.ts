import { actingFor } from '../../domain/principal.ts'
import type { Artifacts } from '../../services/artifacts.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/artifacts/{id} */
export const getArtifact =
  ({ artifacts }: { readonly artifacts: Artifacts }): Handler<'getArtifact'> =>
  async ({ principal, params, query }) => ({ status: 200, body: await artifacts.get(actingFor(principal, query.owner), params.id) })
