import { DomainError } from '../../domain/errors.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Handlers } from '../handler.ts'

/** GET /v1/models and /v1/models/{model} */
export function modelHandlers({ pools }: { readonly pools: Pick<Pools, 'all'> }): Pick<Handlers, 'listModels' | 'retrieveModel'> {
  const created = Math.floor(Date.now() / 1000)
  const models = () =>
    [...new Map(pools.all().map(({ config }) => [config.model, config.engine]))].map(([id, owned_by]) => ({
      ...{ id, object: 'model' as const, created, owned_by },
    }))
  return {
    listModels: () => ({ status: 200, body: { object: 'list', data: models() } }),
    retrieveModel: ({ params }) => {
      const found = models().find(({ id }) => id === params.model)
      if (found === undefined) throw new DomainError('not_found', `There is no model ${params.model}; GET /v1/models lists what is served.`)
      return { status: 200, body: found }
    },
  }
}
