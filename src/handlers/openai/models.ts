import type { Handlers } from '../handler.ts'
import { checkName, namesFor, type ModelParts } from '../model-names.ts'

/** GET /v1/models and /v1/models/{model} */
export function modelHandlers(parts: ModelParts): Pick<Handlers, 'listModels' | 'retrieveModel'> {
  const created = Math.floor(Date.now() / 1000)
  const modelOf = (id: string) => ({ id, object: 'model' as const, created, owned_by: 'orchestratord' })
  return {
    listModels: ({ principal }) => ({ status: 200, body: { object: 'list', data: namesFor(parts, principal).map(modelOf) } }),
    retrieveModel: ({ params, principal }) => {
      checkName(parts, principal, params.model)
      return { status: 200, body: modelOf(params.model) }
    },
  }
}
