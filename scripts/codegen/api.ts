import ts from 'typescript'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { isObject, objectOf, type JsonObject } from '../../cli/contract/document.ts'
import { header, operationsOf } from './bundle.ts'
import { optionalHeadersInline } from './client-view.ts'

/** `api.ts`: the types of everything in the contract. */
export async function apiTypes(document: JsonObject): Promise<string> {
  return `${header('contracts/openapi')}\n${astToString(await openapiTS(optionalHeadersInline(document) as unknown as OpenAPI3))}`
}

/** `sdk/generated/contract.ts`: the same for clients; a value that an enum does not name yet leaves the editor's list of those it names. */
export async function clientTypes(view: JsonObject): Promise<string> {
  const other = ts.factory.createIntersectionTypeNode([
    ts.factory.createKeywordTypeNode(ts.SyntaxKind.StringKeyword),
    ts.factory.createTypeLiteralNode([]),
  ])
  const transform = (schema: object): ts.TypeNode | undefined => ('x-other-value' in schema ? other : undefined)
  return `${header('contracts/openapi')}\n${astToString(await openapiTS(view as unknown as OpenAPI3, { transform }))}`
}

/** `<door>.ts`: the types of everything in a door's contract. */
export async function doorTypes(door: string, document: JsonObject): Promise<string> {
  return `${header(`contracts/openapi/${door}.yaml`)}\n${astToString(await openapiTS(optionalHeadersInline(document) as unknown as OpenAPI3))}`
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
