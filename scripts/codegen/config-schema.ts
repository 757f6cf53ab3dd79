import { readFileSync } from 'node:fs'
import type { EngineDefinition, EngineDriver, EngineRegistry } from '../../src/ports/engine-definition.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../../cli/contract/document.ts'
import { read } from './bundle.ts'

/** Where the configuration's schema comes from, for the head of what is generated. */
export const configSource = 'contracts/config.schema.json and src/adapters/engines'

/** The engines' definitions by name. */
export type Definitions = ReadonlyMap<string, EngineDefinition>

/** Loads every engine of a registry. */
export async function definitionsOf(registry: EngineRegistry): Promise<Definitions> {
  const load = async ([name, engine]: [string, EngineRegistry[string]]) => [name, (await engine()).definition] as const
  return new Map(await Promise.all(Object.entries(registry).map(load)))
}

/** `in-process` as it begins a type's name: `InProcess`. */
const typeName = (name: string): string => name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())

const refTo = (definition: string): JsonObject => ({ $ref: `#/definitions/${definition}` })

/** A choice among definitions by the word that each has under `key`. */
const choice = (key: string, definitions: readonly string[]): JsonObject => ({
  type: 'object',
  discriminator: { propertyName: key },
  oneOf: definitions.map(refTo),
})

/** What a pool of one engine and driver has beside what all pools have, and that it has nothing else. */
function poolOf(
  definitions: JsonObject,
  engine: string,
  driver: string,
  { description, remote, managed, options }: EngineDriver,
): JsonObject {
  const server = remote === true ? 'Remote' : managed === true ? 'Managed' : undefined
  const { properties = {}, required = [] } = server === undefined ? { required: ['ctx'] } : objectOf(definitions[server])
  const ofOptions = typeName(options === undefined ? engine : `${engine}-${driver}`)
  return {
    type: 'object',
    description,
    additionalProperties: false,
    required: ['engine', 'driver', engine, ...listOf(required)],
    properties: {
      ...Object.fromEntries(Object.keys(objectOf(objectOf(definitions['Pool'])['properties'])).map((key) => [key, true])),
      ...objectOf(properties),
      engine: { type: 'string', enum: [engine] },
      driver: { type: 'string', enum: [driver] },
      [engine]: { ...refTo(`${ofOptions}Options`), default: {} },
    },
  }
}

const optionsAt = (file: URL): JsonObject => JSON.parse(readFileSync(file, 'utf8')) as JsonObject

/** The schema of the whole configuration: what is common, and under `Pool` the choice of an engine and of one of its drivers. */
export function configSchema(engines: Definitions): JsonObject {
  const schema = JSON.parse(read('contracts/config.schema.json')) as JsonObject
  const definitions = objectOf(schema['definitions'])
  const common = objectOf(definitions['Pool'])
  const byEngine = choice(
    'engine',
    [...engines.keys()].map((engine) => `${typeName(engine)}Pool`),
  )
  definitions['Pool'] = { ...common, ...byEngine }
  for (const [engine, { options, drivers }] of engines) {
    const name = typeName(engine)
    definitions[`${name}Options`] = optionsAt(options)
    const byDriver = Object.keys(drivers).map((driver) => `${name}${typeName(driver)}Pool`)
    definitions[`${name}Pool`] = { ...choice('driver', byDriver), required: ['engine'], properties: { engine: { enum: [engine] } } }
    for (const [driver, definition] of Object.entries(drivers)) {
      if (definition.options !== undefined) definitions[`${name}${typeName(driver)}Options`] = optionsAt(definition.options)
      definitions[`${name}${typeName(driver)}Pool`] = poolOf(definitions, engine, driver, definition)
    }
  }
  return schema
}

/** The schema as types are made of it: pools in full, for a type is not checked in two steps. */
export function schemaForTypes(schema: JsonObject): JsonObject {
  const definitions = { ...objectOf(schema['definitions']) }
  const common = objectOf(definitions['Pool'])
  for (const [name, value] of Object.entries(definitions)) {
    const definition = objectOf(value)
    const { oneOf, additionalProperties, properties, required } = definition
    if (oneOf !== undefined) definitions[name] = { description: textOf(definition['description']), oneOf }
    else if (additionalProperties === false && 'engine' in objectOf(properties))
      definitions[name] = {
        ...definition,
        properties: { ...objectOf(common['properties']), ...own(objectOf(properties)) },
        required: [...listOf(common['required']), ...listOf(required)],
      }
  }
  return { ...schema, definitions }
}

const own = (properties: JsonObject): JsonObject => Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== true))
