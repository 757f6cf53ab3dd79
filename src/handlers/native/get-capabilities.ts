import { apiVersion } from '../../../generated/operations.ts'
import type { ModelAccess } from '../../services/pools/model-access.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/capabilities */
export const getCapabilities =
  ({ access }: { readonly access: Pick<ModelAccess, 'engines' | 'list'> }): Handler<'getCapabilities'> =>
  ({ principal }) => ({
    status: 200,
    body: { api_version: apiVersion, engines: access.engines(principal), models: access.list(principal) },
  })
