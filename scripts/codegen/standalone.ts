import type { Ajv } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'

/** Words that say nothing about which values are valid; ajv writes whole schemas into its code. */
const prose = ['description', 'title', 'summary', 'example', 'examples']

/** The type of a validator of requests. */
export const validatorType = `import type { ErrorObject } from 'ajv'

/** Checks a part of a request and changes it in place. \`errors\` is the first thing that is wrong, until the next call. */
export interface Validate {
  (part: object): boolean
  readonly errors?: readonly ErrorObject[] | null
}
`

/**
 * The JavaScript module that exports the validators of these schemas, each by the key of its schema.
 * @param ajv made with `code: { source: true, esm: true, lines: true }`
 * @throws Error where the code asks for something that is no import
 */
export function moduleOf(ajv: Ajv, keys: readonly string[]): string {
  const imports = new Map<string, string>()
  const code = standalone.default(ajv, Object.fromEntries(keys.map((key) => [key, key])))
  // What its code needs while it runs ajv requires, in a module as well.
  const body = code.replace(/^"use strict";/, '').replace(/\brequire\("([^"]+)"\)/g, (_, path: string) => {
    const name = imports.get(path) ?? `runtime${imports.size}`
    imports.set(path, name)
    return name
  })
  // Schemas are written down whether or not the code looks at them.
  const used = body.replace(/^const (schema\d+) = .*\n/gm, (line: string, name: string) =>
    body.split(new RegExp(`\\b${name}\\b`)).length > 2 ? line : '',
  )
  // Characters of a long text are counted only where its length, in units of which a character has one or two, does not tell.
  const counted = used.replace(
    /\b(func\d+)\((data\d*)\) ([<>]) (\d+)\b/g,
    (whole: string, _: string, text: string, sign: string, limit: string) =>
      sign === '>' ? `(${text}.length > ${limit} && ${whole})` : `(${text}.length < ${2 * Number(limit)} && ${whole})`,
  )
  if (/\brequire\(/.test(body)) throw new Error('the validators require something that cannot be made an import')
  return `${[...imports].map(([path, name]) => `import ${name} from '${path}.js';\n`).join('')}${counted}\n`
}

/** A schema without its prose. A property may have any name. */
export function bare<T>(schema: T, named = false): T {
  if (Array.isArray(schema)) return schema.map((part: unknown) => bare(part)) as T
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([key]) => named || !prose.includes(key))
  return Object.fromEntries(kept.map(([key, value]: [string, unknown]) => [key, bare(value, !named && key === 'properties')])) as T
}
