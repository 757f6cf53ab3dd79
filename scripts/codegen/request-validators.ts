import { Ajv } from 'ajv'
import formats, { type FormatsPlugin } from 'ajv-formats'
import { Contract, isObject, listOf, objectOf, textOf, type JsonObject } from '../../cli/contract/document.ts'
import { header, operationsOf, type OperationObject } from './bundle.ts'
import { bare, moduleOf, validatorType } from './standalone.ts'

const source = 'contracts/openapi'

/** A contract in the form validators are made of. */
export interface Validated {
  /** What its schemas are referred to by. */
  readonly id: string
  /** A door's: parameters that it does not know pass. */
  readonly lenient: boolean
  readonly contract: Contract
  readonly operations: readonly OperationObject[]
}

/** Takes out prose and makes references absolute. @throws Error where a default stands where ajv does not see it */
export function validated(document: JsonObject, door?: string): Validated {
  const contract = new Contract(bare(document))
  for (const [name, schema] of Object.entries(objectOf(objectOf(contract.root['components'])['schemas'])))
    if (isObject(schema) && 'default' in schema)
      throw new Error(`${name}: a default belongs to the property; ajv does not fill in those of a schema that is referred to`)
  return { id: door ?? 'contract', lenient: door !== undefined, contract, operations: operationsOf(contract.root) }
}

/** `bodies.js`: checks `{ requestBody }` of each operation that takes one, and fills in defaults. Types are as they came: JSON has them. */
export function bodyValidators({ id, contract, operations }: Validated): string {
  const schemas = operations.flatMap(({ operationId, requestBody }): [string, JsonObject][] => {
    if (requestBody === undefined) return []
    const { content, required } = objectOf(contract.resolve(requestBody))
    // A form is read as it comes; who takes it says what is wrong with it.
    if ('multipart/form-data' in objectOf(content)) return []
    const json = objectOf(content)['application/json']
    if (!isObject(json) || required !== true) throw new Error(`${operationId}: a body is required and application/json`)
    return [[operationId, { type: 'object', required: ['requestBody'], properties: { requestBody: json['schema'] ?? {} } }]]
  })
  return moduleFor('bodies', { id, contract }, new Map(schemas), false)
}

/** `parameters.js`: checks `{ path, query, header }` of each operation and turns text into what it stands for. */
export function parameterValidators(validated: Validated): string {
  const { contract } = validated
  const schemas = validated.operations.map((operation): [string, JsonObject] => {
    const { operationId, path } = operation
    const shared = objectOf(objectOf(contract.root['paths'])[path])['parameters']
    const all = [...listOf(operation['parameters']), ...listOf(shared)].map((parameter) => objectOf(contract.resolve(parameter)))
    return [operationId, parametersSchema(operationId, validated, all)]
  })
  return moduleFor('parameters', validated, new Map(schemas), true)
}

function parametersSchema(operationId: string, { contract, lenient }: Validated, parameters: readonly JsonObject[]): JsonObject {
  const part = (place: string, additionalProperties: boolean): JsonObject => {
    const own = parameters.filter((parameter) => parameter['in'] === place)
    const nameOf = ({ name }: JsonObject): string => (place === 'header' ? textOf(name).toLowerCase() : textOf(name))
    return {
      type: 'object',
      additionalProperties,
      required: own.filter(({ required }) => required === true).map(nameOf),
      properties: Object.fromEntries(own.map((parameter) => [nameOf(parameter), spelled(objectOf(contract.resolve(parameter['schema'])))])),
    }
  }
  for (const parameter of parameters) {
    const where = `${operationId}: parameter ${textOf(parameter['name'])}`
    if (!['path', 'query', 'header'].includes(textOf(parameter['in']))) throw new Error(`${where}: is in the path, the query or a header`)
    if (!isObject(parameter['schema'])) throw new Error(`${where}: has a schema; content is not read`)
    const type = objectOf(contract.resolve(parameter['schema']))['type']
    if (type === 'array' || type === 'object') throw new Error(`${where}: is one value; arrays and objects are not read`)
  }
  const properties = { path: part('path', false), query: part('query', lenient), header: part('header', true) }
  return { type: 'object', required: Object.keys(properties), properties }
}

/** Text that is an integer. `src/http/validation-message.ts` knows it. */
const digits = '^[0-9]{1,16}$'

/** An integer is written in digits alone: ajv takes whatever JavaScript takes for a number, such as `1e1` and ` 0x0a`. */
function spelled(schema: JsonObject): JsonObject {
  if (schema['type'] !== 'integer') return schema
  const { default: fallback, ...rest } = schema
  return { allOf: [{ pattern: digits }, rest], ...(fallback === undefined ? {} : { default: fallback }) }
}

/** Operations that check the same share a validator. */
function moduleFor(
  name: string,
  { id: root, contract }: Pick<Validated, 'id' | 'contract'>,
  schemas: ReadonlyMap<string, JsonObject>,
  coerceTypes: boolean,
): string {
  const code = { source: true, esm: true, lines: true }
  const ajv = new Ajv({ useDefaults: true, coerceTypes, allErrors: false, strict: false, code })
  ;(formats as unknown as FormatsPlugin)(ajv)
  ajv.addSchema({ $id: root, components: contract.root['components'] })
  const firsts = new Map<string, string>()
  const entries = [...schemas].map(([id, schema]) => {
    const text = JSON.stringify(schema)
    const first = firsts.get(text) ?? id
    if (first === id) ajv.addSchema(absolute(schema, root), id)
    firsts.set(text, first)
    return `  ${id}: ${first},\n`
  })
  return `${header(source)}${moduleOf(ajv, [...firsts.values()])}\nexport const ${name} = {\n${entries.join('')}};\n`
}

/** `bodies.d.ts` */
export const bodyValidatorTypes = (): string => `${header(source)}
import type { operations } from './operations.ts'
${validatorType}
/** Validators of \`{ requestBody }\`, for the operations that take one. */
export declare const bodies: { readonly [Id in keyof typeof operations]?: Validate }
`

/** `parameters.d.ts` */
export const parameterValidatorTypes = (): string => `${header(source)}
import type { operations } from './operations.ts'
${validatorType}
/** Validators of \`{ path, query, header }\`. */
export declare const parameters: { readonly [Id in keyof typeof operations]: Validate }
`

/** The types of a door's validators, which are loaded by the names of its operations. @param name `bodies` or `parameters` */
export const doorValidatorTypes = (name: string): string => `${header(source)}
${validatorType}
export declare const ${name}: Readonly<Record<string, Validate | undefined>>
`

/** References lead to the contract whatever schema they stand in. */
const absolute = (schema: JsonObject, contract: string): JsonObject =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', `"${contract}#/components/`)) as JsonObject
