import type { components } from '../../../generated/api.ts'
import { poolsOf, type NamedModel } from '../../domain/models/named-model.ts'
import type { Feature } from '../../domain/task.ts'
import { featuresOfPool } from './pool-views.ts'
import type { Pools } from './pools.ts'

/** What a task may name as its model. */
export type ModelCapability = components['schemas']['ModelCapability']

/** A model as lists show it: what one at least of its pools can. */
export function modelCapability(model: NamedModel, all: Pick<Pools, 'find'>): ModelCapability {
  const { name, aliases, pools, fallback, defaults } = model
  const serving = poolsOf(model).flatMap((id) => all.find(id) ?? [])
  const told = serving.filter(({ config, props }) => config.ctx !== undefined || props !== undefined)
  return {
    name,
    aliases: [...aliases],
    pools: [...pools],
    fallback: [...fallback],
    defaults: { ...defaults },
    ctx_max: Math.max(...(told.length > 0 ? told : serving).map(({ ctxMax }) => ctxMax)),
    features: [...new Set<Feature>(serving.flatMap(featuresOfPool))],
    ready: serving.some(({ accepting }) => accepting),
  }
}
