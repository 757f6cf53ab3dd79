import formats, { type FormatsPlugin } from 'ajv-formats'

type Ajv = Parameters<FormatsPlugin>[0]

/** Teaches ajv the formats of the contract, which it ignores by itself. */
export const addFormats = (ajv: Ajv): Ajv => (formats as unknown as FormatsPlugin)(ajv)

/**
 * For openapi-backend's `customizeAjv`: one ajv for each validation context instead of one for each operation, because every new one
 * compiles the JSON Schema metaschema first.
 */
export function sharedAjv(): (ajv: Ajv, options: unknown, context: string) => Ajv {
  const shared = new Map<string, Ajv>()
  return (ajv, _options, context) => {
    const present = shared.get(context)
    if (present !== undefined) return present
    shared.set(context, addFormats(ajv))
    return ajv
  }
}
