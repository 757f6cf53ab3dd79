/** A contract as plain JSON, and what its parts are called. */

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

export const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'] as const

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object, or an empty one where there is none. */
export const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** The string, or an empty one where there is none. */
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

export const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])

/** One operation with what its path and the document add to it. */
export interface Operation {
  /** `POST /v1/tasks` */
  readonly name: string
  readonly operation: JsonObject
  /** Those of the path included, references followed. */
  readonly parameters: readonly JsonObject[]
  /** Alternatives, one of which a client has to send; empty where none is asked for. */
  readonly security: readonly JsonObject[]
}

/** A bundled contract: one document whose references all stay inside it. */
export class Contract {
  readonly root: JsonObject

  constructor(root: JsonObject) {
    this.root = root
  }

  get version(): string {
    return textOf(objectOf(this.root['info'])['version'])
  }

  /** Follows references; undefined where there is nothing. @throws Error where one points nowhere */
  resolve(part: Json | undefined): JsonObject | undefined {
    let at = part
    for (let hops = 0; isObject(at) && typeof at['$ref'] === 'string'; hops++) {
      const { $ref } = at
      let found: Json | undefined = this.root
      for (const name of $ref.replace(/^#\//, '').split('/')) found = objectOf(found)[name.replaceAll('~1', '/').replaceAll('~0', '~')]
      if (found === undefined || hops > 32) throw new Error(`${$ref} points nowhere`)
      at = found
    }
    return isObject(at) ? at : undefined
  }

  /** Every operation by its method and path. */
  operations(): Map<string, Operation> {
    const found = new Map<string, Operation>()
    for (const [path, item] of Object.entries(objectOf(this.root['paths']))) {
      const shared = listOf(objectOf(item)['parameters'])
      for (const method of methods) {
        const operation = objectOf(item)[method]
        if (!isObject(operation)) continue
        const parameters = new Map(
          [...shared, ...listOf(operation['parameters'])]
            .map((one) => this.resolve(one) ?? {})
            .map((one) => [`${textOf(one['in'])} ${textOf(one['name'])}`, one]),
        )
        const security = listOf(operation['security'] ?? this.root['security']).map(objectOf)
        const name = `${method.toUpperCase()} ${path}`
        found.set(name, { name, operation, parameters: [...parameters.values()], security })
      }
    }
    return found
  }
}
