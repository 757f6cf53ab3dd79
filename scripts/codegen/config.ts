import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import type { JsonObject } from '../../cli/contract/document.ts'
import { header } from './bundle.ts'
import { configSource, schemaForTypes, type Definitions } from './config-schema.ts'

/** `config.ts`: the types of the configuration. */
export async function configTypes(schema: JsonObject): Promise<string> {
  const text = JSON.stringify(schemaForTypes(schema)).replaceAll('#/definitions/', '#/components/schemas/')
  const { definitions } = JSON.parse(text) as { definitions: JsonObject }
  const document = { openapi: '3.0.3', info: { title: 'configuration', version: '1' }, paths: {}, components: { schemas: definitions } }
  return `${header(configSource)}\n${astToString(await openapiTS(document as unknown as OpenAPI3, { rootTypes: false, immutable: true }))}`
}

/** `engines.ts`: what the daemon has to know of an engine before it loads it. */
export function engineTable(engines: Definitions): string {
  const lines = [...engines].map(([name, { drivers }]) => {
    const known = Object.entries(drivers).map(
      ([driver, { schemes, remote, managed, library }]) => [driver, { schemes, remote, managed, library }] as const,
    )
    return `  ${JSON.stringify(name)}: ${JSON.stringify({ drivers: Object.fromEntries(known) })},`
  })
  return `${header('src/adapters/engines')}
/** Every engine: its drivers with the beginnings of the model references they take, which are servers, and which of those the daemon starts. */
export const engines = {
${lines.join('\n')}
} as const
`
}
