import { DomainError } from '../../domain/errors.ts'
import { modelsWithin } from '../../domain/models/model-limits.ts'
import type { ModelNames } from '../../domain/models/model-names.ts'
import { namesOf, poolsOf, type NamedModel } from '../../domain/models/named-model.ts'
import type { Principal } from '../../domain/principal.ts'
import type { TaskRequest } from '../../domain/task.ts'
import { noSuchModel, noSuchPool } from './candidates.ts'
import { modelCapability, type ModelCapability } from './model-views.ts'
import { poolCapability, type EngineCapability } from './pool-views.ts'
import type { Pools } from './pools.ts'

/** What a task asks for, and by which of its names. */
export interface AskedModel {
  readonly model_ref: string
  readonly model: NamedModel
}

/** Which models each key may use, and what they are. */
export class ModelAccess {
  private readonly pools: Pick<Pools, 'all' | 'find' | 'names'>
  private readonly limits: ReadonlyMap<string, readonly string[]>
  /** What the limits of a key come to with these names. */
  private readonly allowed = new Map<string, { readonly names: ModelNames; readonly models: ReadonlySet<NamedModel> }>()

  /** @param limits names, aliases or wildcards by name of the key; one that is not here may use all models */
  constructor(pools: Pick<Pools, 'all' | 'find' | 'names'>, limits: ReadonlyMap<string, readonly string[]>) {
    this.pools = pools
    this.limits = limits
  }

  /**
   * The model of a task. Where it names none: the pinned pool's, else the only one that its key may use and that is served on its engine.
   * @throws DomainError not_found where there is none of this name, forbidden where its key may not use it, invalid_params where the task
   * names none and several are possible
   */
  modelFor(owner: string, request: Pick<TaskRequest, 'model_ref' | 'engine' | 'placement'>): AskedModel {
    const { model_ref } = request
    if (model_ref === undefined) return this.onlyOne(owner, request)
    const model = this.pools.names.find(model_ref)
    if (model === undefined) throw noSuchModel(model_ref, this.shownTo(owner).flatMap(namesOf))
    if (this.modelsOf(owner)?.has(model) === false)
      throw new DomainError('forbidden', `body.model_ref: the key ${owner} may not use the model ${model_ref}`)
    return { model_ref, model }
  }

  /** Whether a key may ask for a model by this name. */
  knows({ name: owner }: Pick<Principal, 'name'>, model_ref: string): boolean {
    const model = this.pools.names.find(model_ref)
    return model !== undefined && this.modelsOf(owner)?.has(model) !== false
  }

  /** The models that a key may use, by name. */
  list({ name }: Pick<Principal, 'name'>): ModelCapability[] {
    return this.shownTo(name).map((model) => modelCapability(model, this.pools))
  }

  /** The pools of the models that a key may use. */
  engines({ name }: Pick<Principal, 'name'>): EngineCapability[] {
    const ids = this.limits.has(name) ? new Set(this.shownTo(name).flatMap(poolsOf)) : undefined
    return this.pools.all().flatMap((pool) => (ids?.has(pool.id) === false ? [] : [poolCapability(pool)]))
  }

  private onlyOne(owner: string, { engine, placement }: Pick<TaskRequest, 'engine' | 'placement'>): AskedModel {
    const pin = placement?.pin_pool_id
    if (pin !== undefined && this.pools.find(pin) === undefined) noSuchPool('pin_pool_id', pin)
    const serves = (id: string): boolean =>
      (pin === undefined || id === pin) && (engine === undefined || this.pools.find(id)?.config.engine === engine)
    const [only, ...others] = this.shownTo(owner).filter((model) => poolsOf(model).some(serves))
    if (only === undefined) {
      const where = engine === undefined ? '' : ` on engine ${engine}`
      if (pin !== undefined)
        throw new DomainError('invalid_params', `body.placement.pin_pool_id: pool ${pin} serves no model that you may use${where}`)
      const which = this.limits.has(owner) ? `No model that the key ${owner} may use is served` : 'No model is served'
      throw new DomainError('not_found', `${which}${where}; GET /v1/capabilities lists what is.`)
    }
    if (others.length === 0) return { model_ref: only.name, model: only }
    const names = [only, ...others].map(({ name }) => name).join(', ')
    throw new DomainError('invalid_params', `body.model_ref: is required where several models are served: ${names}`)
  }

  /** The models of a key as lists show them: one pool of several is shown where the key may use it, but not all of them. */
  private shownTo(owner: string): readonly NamedModel[] {
    const { listed, unlisted } = this.pools.names
    const allowed = this.modelsOf(owner)
    if (allowed === undefined) return listed
    const shown = listed.filter((model) => allowed.has(model))
    const pools = new Set(shown.flatMap(poolsOf))
    return [...shown, ...unlisted.filter((model) => allowed.has(model) && model.pools.some((id) => !pools.has(id)))]
  }

  /** What a key may use; undefined where that is everything. */
  private modelsOf(owner: string): ReadonlySet<NamedModel> | undefined {
    const limits = this.limits.get(owner)
    if (limits === undefined) return undefined
    const { names } = this.pools
    const known = this.allowed.get(owner)
    if (known?.names === names) return known.models
    const models = modelsWithin(limits, names)
    this.allowed.set(owner, { names, models })
    return models
  }
}
