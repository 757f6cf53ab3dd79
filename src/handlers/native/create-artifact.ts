import type { Artifacts } from '../../services/artifacts.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/artifacts */
export const createArtifact =
  ({ artifacts }: { readonly artifacts: Artifacts }): Handler<'createArtifact'> =>
  async ({ principal, body }) => {
    const ref = await artifacts.create(principal, body)
    return { status: 201, body: ref, headers: { Location: `/v1/artifacts/${ref.id}` } }
  }
