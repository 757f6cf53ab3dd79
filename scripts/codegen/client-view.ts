import { Contract, isObject, objectOf, textOf, type Json, type JsonObject } from '../../cli/contract/document.ts'
import { operationsOf } from './bundle.ts'

/** A string that an `x-extensible` enum does not name yet. */
const otherValue: JsonObject = { type: 'string', maxLength: 256, 'x-other-value': true, description: 'A value that came later.' }

/**
 * A contract as its clients are told it, in words that every generator understands; what the daemon is held to stays as it is. Answers may
 * have more fields and, where an enum is `x-extensible`, other values. A field of a request that has a default stays one that may be left out:
 * the default goes into the description. The events of a stream are a union, named by `x-sse-union`, beside `x-sse-events`.
 */
export function clientView(document: JsonObject): JsonObject {
  const copy = structuredClone(document)
  addUnions(copy)
  const contract = new Contract(copy)
  const answers = reached(contract, (operation) => [operation['responses'], operation['x-sse-events']])
  const asked = reached(contract, (operation) => [operation['requestBody']])
  const schemas = objectOf(objectOf(copy['components'])['schemas'])
  const enums = new Set(Object.keys(schemas).filter((name) => objectOf(schemas[name])['x-extensible'] === true))
  for (const name of asked) schemas[name] = withoutDefaults(schemas[name])
  for (const name of answers) schemas[name] = opened(schemas[name] ?? null, enums, true)
  for (const { responses } of operationsOf(copy)) for (const response of Object.values(responses)) openContent(response, enums)
  return optionalHeadersInline(copy)
}

const schemaName = (ref: Json | undefined): string | undefined => /^#\/components\/schemas\/(.+)$/.exec(textOf(ref))?.[1]

/** Names of the schemas that parts of the operations lead to, however far. */
function reached(contract: Contract, partsOf: (operation: JsonObject) => (Json | undefined)[]): Set<string> {
  const names = new Set<string>()
  const visit = (part: Json | undefined): void => {
    if (Array.isArray(part)) part.forEach(visit)
    if (!isObject(part)) return
    if (typeof part['$ref'] === 'string') {
      const name = schemaName(part['$ref'])
      if (name !== undefined && names.has(name)) return
      if (name !== undefined) names.add(name)
      visit(contract.resolve(part))
    } else Object.values(part).forEach(visit)
  }
  for (const { operation } of contract.operations().values()) partsOf(operation).forEach(visit)
  return names
}

/** A schema of an answer: objects take more fields, extensible enums other values. A named enum (`top`) is opened where it is referred to. */
function opened(schema: Json, enums: ReadonlySet<string>, top = false): Json {
  if (Array.isArray(schema)) return schema.map((one) => opened(one, enums))
  if (!isObject(schema)) return schema
  if (enums.has(schemaName(schema['$ref']) ?? '')) return { anyOf: [schema, otherValue] }
  if (schema['x-extensible'] === true) {
    const { description, ...values } = schema
    return top ? schema : { ...(description === undefined ? {} : { description }), anyOf: [values, otherValue] }
  }
  const entries = Object.entries(schema).filter(([key, value]) => key !== 'additionalProperties' || value !== false)
  return Object.fromEntries(entries.map(([key, value]) => [key, key === 'enum' ? value : opened(value, enums)]))
}

function openContent(response: Json | undefined, enums: ReadonlySet<string>): void {
  for (const media of Object.values(objectOf(objectOf(response)['content'])))
    if (isObject(media) && media['schema'] !== undefined) media['schema'] = opened(media['schema'], enums)
}

/** A schema of a request whose fields with a default say it in words: generators of types take such fields for ones that are always there. */
function withoutDefaults(schema: Json | undefined): Json {
  if (Array.isArray(schema)) return schema.map(withoutDefaults)
  if (!isObject(schema)) return schema ?? null
  const entries = Object.entries(schema).map(([key, value]): [string, Json] => [key, withoutDefaults(value)])
  const properties = schema['properties']
  if (!isObject(properties)) return Object.fromEntries(entries)
  const told = Object.entries(properties).map(([name, property]): [string, Json] => {
    const plain = withoutDefaults(property)
    if (!isObject(plain) || plain['default'] === undefined) return [name, plain]
    const { default: value, ...rest } = plain
    return [name, { ...rest, description: `${textOf(rest['description'])} Left out: \`${JSON.stringify(value)}\`.`.trim() }]
  })
  return Object.fromEntries([...entries, ['properties', Object.fromEntries(told)]])
}

/** What a contract has of operations with a tag, and the schemas that these lead to. */
export function onlyTagged(document: JsonObject, tag: string): JsonObject {
  const paths = Object.entries(objectOf(document['paths'])).filter(([, path]) =>
    Object.values(objectOf(path)).some(
      (operation) => isObject(operation) && Array.isArray(operation['tags']) && operation['tags'].includes(tag),
    ),
  )
  const copy = { ...document, paths: Object.fromEntries(paths) }
  const kept = reached(new Contract(copy), (operation) => [operation['requestBody'], operation['responses']])
  const components = objectOf(document['components'])
  const schemas = Object.entries(objectOf(components['schemas'])).filter(([name]) => kept.has(name))
  return { ...copy, components: { ...components, schemas: Object.fromEntries(schemas) } }
}

/** Adds the union of a stream's events, each as its frame has it: the event's name, its id where it has one, its data. */
function addUnions(document: JsonObject): void {
  const schemas = objectOf(objectOf(document['components'])['schemas'])
  for (const operation of operationsOf(document)) {
    const union = textOf(operation['x-sse-union'])
    if (union === '') continue
    const frames = Object.entries(objectOf(operation['x-sse-events'])).map(([event, data]): [string, string] => {
      const name = `${textOf(objectOf(data)['$ref']).split('/').at(-1) ?? ''}Frame`
      schemas[name] = {
        type: 'object',
        description: `The event \`${event}\` as it stands in the stream.`,
        required: ['event', 'data'],
        properties: {
          event: { type: 'string', enum: [event], description: 'Its name.' },
          id: { type: 'string', maxLength: 32, description: 'What `Last-Event-ID` resumes from, where it has one.' },
          data: { ...objectOf(data) },
        },
      }
      return [event, `#/components/schemas/${name}`]
    })
    schemas[union] = {
      description: 'One event of the stream. Others may come later; clients pass over those they do not know.',
      oneOf: frames.map(([, $ref]) => ({ $ref })),
      discriminator: { propertyName: 'event', mapping: Object.fromEntries(frames) },
    }
  }
}

/** Puts response headers that may be missing in place of references to them: openapi-typescript takes a referenced header for a required one. */
export function optionalHeadersInline(document: JsonObject): JsonObject {
  const copy = structuredClone(document)
  const contract = new Contract(copy)
  const inline = (response: Json): void => {
    const headers = objectOf(objectOf(response)['headers'])
    for (const [name, header] of Object.entries(headers)) {
      const target = contract.resolve(header)
      if (target !== undefined && target['required'] !== true) headers[name] = target
    }
  }
  Object.values(objectOf(objectOf(copy['components'])['responses'])).forEach(inline)
  for (const { responses } of operationsOf(copy)) Object.values(responses).forEach(inline)
  return copy
}
