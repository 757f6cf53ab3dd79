import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { isObject, type JsonObject } from '../contract/document.ts'
import { header, read } from './bundle.ts'

/** `config.ts`: the types of the configuration. */
export async function configTypes(): Promise<string> {
  const schema = JSON.parse(read('contracts/config.schema.json').replaceAll('#/definitions/', '#/components/schemas/')) as {
    definitions: JsonObject
  }
  for (const definition of Object.values(schema.definitions)) if (isObject(definition)) delete definition['discriminator']
  const document = {
    openapi: '3.0.3',
    info: { title: 'configuration', version: '1' },
    paths: {},
    components: { schemas: schema.definitions },
  }
  const pool = schema.definitions['Pool'] as JsonObject
  schema.definitions['Pool'] = { description: pool['description'] ?? '', oneOf: pool['oneOf'] ?? [] }
  return `${header('contracts/config.schema.json')}\n${astToString(await openapiTS(document as unknown as OpenAPI3, { rootTypes: false, immutable: true }))}`
}
