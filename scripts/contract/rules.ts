import type { Oas3Rule } from '@redocly/openapi-core/lib/visitors.js'
import type { NodeType } from '@redocly/openapi-core/lib/types/index.js'
import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from '../../cli/contract/document.ts'

/** The few things a rule needs of the walker; what it hands over is untyped. */
interface Walk {
  resolve(
    node: { readonly $ref: string },
    from?: string,
  ): { readonly node?: unknown; readonly location?: { readonly source: { readonly absoluteRef: string } } | undefined }
}

/** A part of the contract as plain JSON, its reference followed. `from` is the file it stands in, if not the visited one. */
function follow(ctx: Walk, part: Json | undefined, from?: string): { readonly part: JsonObject; readonly from?: string | undefined } {
  if (!isObject(part) || typeof part['$ref'] !== 'string') return { part: objectOf(part), from }
  const { node, location } = ctx.resolve({ $ref: part['$ref'] }, from)
  return { part: objectOf(node as Json | undefined), from: location?.source.absoluteRef }
}

const json = (node: unknown): JsonObject => objectOf(node as Json)

const hasExample = (part: JsonObject): boolean => part['example'] !== undefined || Object.keys(objectOf(part['examples'])).length > 0

/** Every operation says who may call it, where it belongs and what it looks like. */
const operationComplete: Oas3Rule = () => ({
  Operation(node, ctx) {
    const operation = json(node)
    const problem = (message: string): void => ctx.report({ message, location: ctx.location.key() })
    if (operation['x-role'] !== 'data' && operation['x-role'] !== 'control') problem('x-role must be data or control.')
    if (listOf(operation['tags']).length === 0) problem('The operation has no tag.')
    if (!/^[a-z][a-zA-Z0-9]*$/.test(textOf(operation['operationId']))) problem('operationId must be in camelCase.')
  },
  MediaType(node, ctx) {
    if (!hasExample(json(node))) ctx.report({ message: 'The body has no example.', location: ctx.location.key() })
  },
  Parameter(node, ctx) {
    if (!hasExample(json(node))) ctx.report({ message: `The parameter ${node.name} has no example.` })
  },
  Header(node, ctx) {
    if (!hasExample(json(node))) ctx.report({ message: `The header ${String(ctx.key)} has no example.` })
  },
})

/** Every field is described where it stands or by the schema it refers to. */
const described: Oas3Rule = () => {
  const isDescribed = (part: JsonObject): boolean => textOf(part['description']).trim() !== ''
  return {
    Schema(node, ctx) {
      const schema = json(node)
      const parts: [string, Json | undefined][] = [
        ...Object.entries(objectOf(schema['properties'])).map(([name, part]): [string, Json] => [`properties/${name}`, part]),
        ...(['items', 'additionalProperties'] as const).flatMap((name): [string, Json | undefined][] =>
          isObject(schema[name]) ? [[name, schema[name]]] : [],
        ),
      ]
      for (const [name, part] of parts)
        if (!isDescribed(follow(ctx, part).part))
          ctx.report({ message: `${name} has no description.`, location: ctx.location.child(name.split('/')) })
    },
    NamedSchemas: {
      Schema(node, ctx) {
        if (!isDescribed(json(node))) ctx.report({ message: `The schema ${String(ctx.key)} has no description.` })
      },
    },
    Header(node, ctx) {
      if (!isDescribed(json(node))) ctx.report({ message: `The header ${String(ctx.key)} has no description.` })
    },
  }
}

/** What is missing for the values of a schema to be bounded. */
function unbounded(schema: JsonObject): string | undefined {
  const missing = (...keywords: string[]): string | undefined => keywords.find((keyword) => schema[keyword] === undefined)
  if (schema['enum'] !== undefined) return undefined
  // A JSON Schema that a client writes, or a document that has a schema of its own: the body's own limit bounds it.
  if (schema['x-json-schema'] === true) return undefined
  switch (schema['type']) {
    case 'string':
      return missing('maxLength')
    case 'integer':
    case 'number':
      return missing('minimum', 'maximum')
    case 'array':
      return missing('items', 'maxItems')
    case 'object':
      return schema['additionalProperties'] === false
        ? undefined
        : isObject(schema['additionalProperties'])
          ? missing('maxProperties')
          : 'additionalProperties'
    case 'boolean':
      return undefined
    default:
      return ['allOf', 'oneOf', 'anyOf'].some((keyword) => schema[keyword] !== undefined) ? undefined : 'type'
  }
}

/** Nothing on the wire is without end: numbers, strings, arrays and maps have bounds, objects are closed. */
const bounded: Oas3Rule = () => ({
  Schema(node, ctx) {
    // The text of an event stream has no length of its own; each event's data is a schema.
    if (ctx.location.pointer.endsWith('/text~1event-stream/schema')) return
    const missing = unbounded(json(node))
    if (missing !== undefined) ctx.report({ message: `The schema must have ${missing}.` })
  },
})

/** Every response carries its correlation id, an overload says when to come back, and an error is the one envelope. */
const responses: Oas3Rule = () => ({
  Operation(node, ctx) {
    for (const [status, declared] of Object.entries(objectOf(json(node)['responses']))) {
      const { part: response, from } = follow(ctx, declared)
      const problem = (message: string): void =>
        ctx.report({ message: `${status}: ${message}`, location: ctx.location.child(['responses', status]) })
      const headers = objectOf(response['headers'])
      const asked = ['X-Correlation-Id', ...(status === '429' || status === '503' ? ['Retry-After', 'X-Backoff-Ms'] : [])]
      for (const name of asked)
        if (follow(ctx, headers[name], from).part['required'] !== true) problem(`the header ${name} must be declared as required.`)
      if (!/^[45]/.test(status)) continue
      const content = objectOf(response['content'])
      const schema = objectOf(objectOf(content['application/json'])['schema'])
      if (Object.keys(content).join() !== 'application/json' || !textOf(schema['$ref']).endsWith('#/components/schemas/ErrorEnvelope'))
        problem('the body must be ErrorEnvelope as application/json.')
    }
  },
})

/** A rule for names that may be used once in all the files it is given to. */
function operationIdOnce(): Oas3Rule {
  const owners = new Map<string, string>()
  return () => ({
    Operation(node, ctx) {
      const [id, file] = [String(node.operationId), ctx.location.source.absoluteRef]
      const owner = owners.get(id)
      if (owner !== undefined && owner !== `${file}${ctx.location.pointer}`)
        ctx.report({ message: `operationId ${id} is taken in another contract.` })
      owners.set(id, `${file}${ctx.location.pointer}`)
    },
  })
}

/** The house rules as a Redocly plugin; one is for all files of one run. */
export const housePlugin = () => ({
  id: 'house',
  rules: { oas3: { 'operation-complete': operationComplete, described, bounded, responses, 'operation-id-once': operationIdOnce() } },
  typeExtension: {
    // The data of SSE events and the lines of a file are schemas like any other: references in there count as uses and are followed.
    oas3: (types: Record<string, NodeType>): Record<string, NodeType> => ({
      ...types,
      SseEvents: { properties: {}, additionalProperties: () => 'Schema' },
      Schema: { ...types['Schema'], properties: { ...types['Schema']?.properties, 'x-line': 'Schema' } },
      Operation: { ...types['Operation'], properties: { ...types['Operation']?.properties, 'x-sse-events': 'SseEvents' } },
    }),
  },
})

/** Rules of the house and of Redocly's that its recommended set leaves off. */
export const houseRules = {
  'house/operation-complete': 'error',
  'house/described': 'error',
  'house/bounded': 'error',
  'house/responses': 'error',
  'house/operation-id-once': 'error',
  'operation-tag-defined': 'error',
  'parameter-description': 'error',
  'no-invalid-schema-examples': 'error',
  'no-invalid-parameter-examples': 'error',
  'paths-kebab-case': 'error',
} as const

/** The same for the contract of a door: its clients send what they like, so nothing in it needs a bound, and its paths are not ours to name. */
export const doorRules = Object.fromEntries(
  Object.entries(houseRules).filter(([rule]) => !['house/bounded', 'paths-kebab-case'].includes(rule)),
)
