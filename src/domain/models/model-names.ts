import type { NamedModel } from './named-model.ts'
import { fits, isWildcard, lengthOf } from './wildcard.ts'

/** What tasks may ask for by name. An exact name goes before an exact alias, and that before the longest wildcard that fits. */
export class ModelNames {
  /** Those that lists show. */
  readonly listed: readonly NamedModel[]
  /** Those that can be asked for as well, such as one pool of several that serve a model. */
  readonly unlisted: readonly NamedModel[]
  private readonly exact = new Map<string, NamedModel>()
  /** The longest first; of those that are as long, the first of the configuration. */
  private readonly wildcards: readonly { readonly pattern: string; readonly model: NamedModel }[]

  constructor(listed: readonly NamedModel[], unlisted: readonly NamedModel[] = []) {
    this.listed = listed
    this.unlisted = unlisted
    const aliases = listed.flatMap((model) => model.aliases.map((pattern) => ({ pattern, model })))
    for (const model of listed) this.take(model.name, model)
    for (const { pattern, model } of aliases) if (!isWildcard(pattern)) this.take(pattern, model)
    for (const model of unlisted) this.take(model.name, model)
    for (const model of unlisted) for (const alias of model.aliases) this.take(alias, model)
    this.wildcards = aliases
      .filter(({ pattern }) => isWildcard(pattern))
      .sort((one, other) => lengthOf(other.pattern) - lengthOf(one.pattern))
  }

  /** The model of this name. Takes a look into a map where the name is exact, and one at each wildcard where it is not. */
  find(name: string): NamedModel | undefined {
    return this.exact.get(name) ?? this.wildcards.find(({ pattern }) => fits(pattern, name))?.model
  }

  private take(name: string, model: NamedModel): void {
    if (!this.exact.has(name)) this.exact.set(name, model)
  }
}
