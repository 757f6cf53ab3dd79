import { createHash } from 'node:crypto'
import { resolved, type ContractName, type ShownContract, type ShownOperation, type ShownPart, type ShownSchema } from './contract.ts'

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;background:#fff}
h2{margin-top:3rem;border-top:1px solid #ddd;padding-top:1rem}h3{margin:2rem 0 .3rem;font-size:1rem}code,pre{font:13px/1.4 ui-monospace,monospace}
pre{background:#f5f6f8;padding:.7rem;overflow-x:auto}table{border-collapse:collapse;width:100%}td{border-top:1px solid #eee;padding:.2rem .6rem .2rem 0;vertical-align:top}
b.method{display:inline-block;min-width:4.5rem;text-transform:uppercase}nav a{display:inline-block;margin-right:1rem}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#15171a}pre{background:#20242a}td,h2{border-color:#333}a{color:#8ab4f8}}`

/** What the page may load: its own style and nothing else. */
export const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (found) => entities[found] ?? found)
/** Text of a contract, with what stands in backquotes as code. */
const prose = (text = ''): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')
const row = (...cells: readonly string[]): string => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
const table = (rows: readonly string[]): string => (rows.length === 0 ? '' : `<table>${rows.join('')}</table>`)

/** All contracts as one page without scripts. */
export function docsPage(contracts: Readonly<Record<ContractName, ShownContract>>): string {
  const all = Object.entries(contracts)
  const links = all.map(([name, { info }]) => `<a href="#${name}">${escaped(info.title)}</a> <a href="/openapi/${name}.json">JSON</a>`)
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>orchestratord: the contracts</title><style>${style}</style>
<h1>orchestratord: the contracts</h1><nav>${links.join('<br>')}</nav>${all.map(([name, contract]) => section(name, contract)).join('')}</html>`
}

function section(name: string, contract: ShownContract): string {
  const { info, paths, components } = contract
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      typeof operation === 'object' && operation !== null && 'operationId' in operation
        ? [operationOf(name, contract, method, path, operation as ShownOperation, (item['parameters'] ?? []) as ShownPart[])]
        : [],
    ),
  )
  const schemas = Object.entries(components.schemas).map(
    ([id, schema]) => `<h3 id="${name}-${id}">${id}</h3><p>${prose(schema.description)}</p>${table(fieldsOf(name, schema))}`,
  )
  return `<h2 id="${name}">${escaped(info.title)} ${escaped(info.version)}</h2><p>${prose(info.description)}</p>${operations.join('')}<h2>Schemas of ${name}</h2>${schemas.join('')}`
}

/** Everything of one operation. */
function operationOf(
  name: string,
  contract: ShownContract,
  method: string,
  path: string,
  operation: ShownOperation,
  shared: readonly ShownPart[],
): string {
  const { operationId, summary, description, requestBody, responses } = operation
  const parameters = [...shared, ...(operation.parameters ?? [])].map((part) => {
    const { name: id = '', in: place = '', required, description: what, schema = {} } = resolved(contract, part)
    return row(`<code>${escaped(id)}</code>`, `${place}${required === true ? ', required' : ''}`, typeOf(name, schema), prose(what))
  })
  const body = requestBody === undefined ? [] : Object.values(resolved(contract, requestBody).content ?? {})
  const answers = Object.entries(responses).map(([status, part]) => {
    const { description: what, content = {} } = resolved(contract, part)
    const types = Object.entries(content).map(([media, { schema = {} }]) => `${escaped(media)}: ${typeOf(name, schema)}`)
    return row(status, prose(what), types.join('<br>'))
  })
  const events = Object.entries(operation['x-sse-events'] ?? {}).map(([event, schema]) =>
    row(`event <code>${event}</code>`, typeOf(name, schema)),
  )
  const example = Object.values(body[0]?.examples ?? {})[0]?.value
  return `<h3 id="${name}-${operationId}"><b class="method">${method}</b> <code>${escaped(path)}</code></h3>
<p><b>${prose(summary)}.</b> ${prose(description)} Role: ${operation['x-role'] ?? ''}.</p>${table(parameters)}${body
    .map(({ schema = {} }) => `<p>Body: ${typeOf(name, schema)}</p>`)
    .join('')}${example === undefined ? '' : `<pre>${escaped(JSON.stringify(example, null, 1))}</pre>`}${table(answers)}${table(events)}`
}

const fieldsOf = (name: string, { properties = {}, required = [] }: ShownSchema): string[] =>
  Object.entries(properties).map(([id, field]) =>
    row(`<code>${escaped(id)}</code>`, typeOf(name, field) + (required.includes(id) ? '' : ', optional'), prose(field.description)),
  )

/** What a value is, in words; a schema with a name is a link to it. */
function typeOf(name: string, schema: ShownSchema): string {
  const id = schema.$ref?.split('/').at(-1)
  if (id !== undefined) return `<a href="#${name}-${id}">${id}</a>`
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices !== undefined) return choices.map((choice) => typeOf(name, choice)).join(' or ')
  if (schema.enum !== undefined) return schema.enum.map((value) => `<code>${escaped(JSON.stringify(value))}</code>`).join(' ')
  if (schema.items !== undefined) return `list of ${typeOf(name, schema.items)}`
  return `${schema.type ?? 'anything'}${schema.nullable === true ? ' or null' : ''}`
}
