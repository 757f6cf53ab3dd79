import { createRequire } from 'node:module'
import { EngineError, type ChatOptions } from '../../../ports/engine.ts'
import type { components } from '../../../../generated/api.ts'
import type * as Drawing from './json-schema/draw.ts'
import { Unfit } from './json-schema/schema.ts'

type ToolFunction = components['schemas']['Tool']['function']

/** What `json_object` gives: any object would do. */
const anyObject = {
  type: 'object',
  properties: {
    answer: { type: 'string' },
    count: { type: 'integer', minimum: 0, maximum: 9 },
    items: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 3 },
    sure: { type: 'boolean' },
  },
  required: ['answer', 'count', 'items', 'sure'],
}

/** The answer in the format the client asks for; undefined where that is plain text. @throws EngineError where nothing fits the schema */
export function formatted(format: ChatOptions['response_format'], next: () => number): string | undefined {
  if (format === undefined || format.type === 'text') return undefined
  const schema = format.type === 'json_schema' ? format.json_schema?.schema : anyObject
  return draw(schema, next, 'response_format.json_schema.schema')
}

/** Arguments that fit a tool's schema; an object where it has none. @throws EngineError where nothing does */
export function drawArguments({ name, parameters = {} }: ToolFunction, next: () => number): string {
  const schema = 'type' in parameters ? parameters : { type: 'object', ...parameters }
  return draw(schema, next, `parameters of the tool ${name}`)
}

// Eight files that only a task with a schema needs.
const drawing = (): typeof Drawing => createRequire(import.meta.url)('./json-schema/draw.ts') as typeof Drawing

function draw(schema: unknown, next: () => number, what: string): string {
  try {
    return JSON.stringify(drawing().drawJson(schema, next))
  } catch (cause) {
    if (!(cause instanceof Unfit)) throw cause
    throw new EngineError(`${what}: ${cause.message}`, { retriable: false, cause })
  }
}

/** JSON text in tokens: words, white space, up to three signs. */
export const piecesOf = (json: string): readonly string[] => json.match(/[\p{L}\p{N}_]{1,8}|\s+|[^\p{L}\p{N}_\s]{1,3}/gu) ?? []
