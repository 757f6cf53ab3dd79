import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { isObject, objectOf, type JsonObject } from '../contract/document.ts'
import { header, operationsOf } from './bundle.ts'

/** `api.ts`: the types of everything in the contract. */
export async function apiTypes(document: JsonObject): Promise<string> {
  return `${header('contracts/openapi')}\n${astToString(await openapiTS(withHeadersInline(document) as unknown as OpenAPI3))}`
}

/** `<door>.ts`: the types of everything in a door's contract. */
export async function doorTypes(door: string, document: JsonObject): Promise<string> {
  return `${header(`contracts/openapi/${door}.yaml`)}\n${astToString(await openapiTS(withHeadersInline(document) as unknown as OpenAPI3))}`
}

/** `doors.ts`: what the daemon has to know of each operation of a door while it runs. @throws Error where a role is unknown */
export function doorMap(documents: ReadonlyMap<string, JsonObject>): string {
  const lines = [...documents].flatMap(([door, document]) => entriesOf(document, { door }))
  return `${header('contracts/openapi')}
/** Every operation of a door: the same as of ours, the door, and whether it takes a form with a file. One with \`when\` is meant where a request has that header, in place of the other on its path. */
export const doorOperations = {
${lines.join('\n')}
} as const
`
}

/** `operations.ts`: what the daemon has to know of each operation while it runs. @throws Error where a role is unknown */
export function operationMap(document: JsonObject): string {
  const lines = entriesOf(document)
  const version = (document['info'] as JsonObject)['version']
  return `${header('contracts/openapi')}
/** Version of the contract, \`info.version\`. */
export const apiVersion = ${JSON.stringify(version)}

/** Every operation: role, route, declared statuses, and whether it takes a JSON body. */
export const operations = {
${lines.join('\n')}
} as const
`
}

function entriesOf(document: JsonObject, more: object = {}): string[] {
  return operationsOf(document).map((operation) => {
    if (operation['x-role'] !== 'data' && operation['x-role'] !== 'control')
      throw new Error(`${operation.operationId}: x-role must be data or control`)
    const statuses = Object.keys(operation.responses)
      .map(Number)
      .sort((a, b) => a - b)
    const { method, path } = operation
    const when = operation['x-when-header']
    const { requestBody } = operation
    const upload = isObject(requestBody) && 'multipart/form-data' in objectOf(requestBody['content'])
    const body = requestBody !== undefined && !upload
    const entry = { ...more, role: operation['x-role'], method, path, statuses, body, ...(upload ? { upload } : {}) }
    return `  ${operation.operationId}: ${JSON.stringify(when === undefined ? entry : { ...entry, when })},`
  })
}

/** The document with response headers in place of references to them: openapi-typescript takes a referenced header for a required one. */
function withHeadersInline(document: JsonObject): JsonObject {
  const copy = structuredClone(document)
  const { headers = {}, responses = {} } = copy['components'] as Record<string, JsonObject>
  const inline = (response: JsonObject): void => {
    for (const [name, header] of Object.entries((response['headers'] ?? {}) as JsonObject)) {
      const target =
        isObject(header) && typeof header['$ref'] === 'string' ? headers[header['$ref'].replace('#/components/headers/', '')] : undefined
      if (target !== undefined) (response['headers'] as JsonObject)[name] = target
    }
  }
  for (const response of Object.values(responses)) inline(response as JsonObject)
  for (const operation of operationsOf(copy)) for (const response of Object.values(operation.responses)) inline(response as JsonObject)
  return copy
}
