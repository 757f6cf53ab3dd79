import { EngineError, type AskedOfEngine, type ChatOptions, type Objection } from '../../../../ports/engine.ts'
import { anyObject } from './objects.ts'
import { Unheld } from './rules.ts'
import { SchemaWriter } from './schema.ts'

type Format = NonNullable<ChatOptions['response_format']>

const schemaField = 'response_format.json_schema.schema'

/** Asked for at admission, again before it, and by the run: all with the same object. */
const known = new WeakMap<Format, string | Unheld>()

/** The grammar that holds an answer to a format; undefined where any text will do. @throws EngineError where none can hold it, which admission has seen */
export function grammarOf(format: ChatOptions['response_format']): string | undefined {
  if (format === undefined || format.type === 'text') return undefined
  const held = heldBy(format)
  if (typeof held === 'string') return held
  throw new EngineError(`${schemaField}${held.path}: ${held.message}`, { retriable: false, cause: held })
}

/** What a grammar cannot do of a request. */
export function objectionTo({ response_format: format, messages }: AskedOfEngine): Objection | undefined {
  if (format === undefined || format.type === 'text') return undefined
  if (messages?.at(-1)?.role === 'assistant')
    return { field: 'response_format', why: 'a format cannot be held in words of the assistant that have begun; end with another message' }
  const held = heldBy(format)
  return typeof held === 'string' ? undefined : { field: `${schemaField}${held.path}`, why: held.message }
}

function heldBy(format: Format): string | Unheld {
  const held = known.get(format) ?? write(format)
  known.set(format, held)
  return held
}

function write(format: Format): string | Unheld {
  const writer = new SchemaWriter(format.json_schema?.schema ?? true)
  try {
    return format.type === 'json_object' ? writer.rules.text(anyObject(writer)) : writer.grammar()
  } catch (error) {
    if (error instanceof Unheld) return error
    throw error
  }
}
