import type { Config } from './check.ts'
import type { Path } from './problem.ts'
import { readSchema, schemasAt, type Schema } from './schema.ts'

/** What stands in place of a value that is not shown. */
const hidden = '***'

/** What an argument of a command may be to be shown: the name of an option, a number, or what the daemon fills in. */
const isOption = /^(--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z]{1,4})$/
const isPlain = /^(-?\d{1,9}(\.\d{1,6})?|\{[a-z_]+\})$/
/** Options whose values are hidden whatever they look like. */
const isTelling = /key|token|secret|pass|auth|header|cred|cookie/i

/**
 * A configuration as it may be shown: without the values that the schema calls writeOnly, and of the commands of servers only the program, the
 * names of options, numbers and what the daemon fills in. The environment is no part of a configuration.
 */
export function shownConfig(config: Config, schema: Schema = readSchema()): Record<string, unknown> {
  const isSecret = (path: Path): boolean => schemasAt(schema, config, path).some(({ writeOnly }) => writeOnly === true)
  const shown = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return path.at(-1) === 'command' ? commandShown(value) : value.map((one, i) => shown(one, [...path, i]))
    return typeof value === 'object' && value !== null ? fieldsShown(value, path) : value
  }
  const fieldsShown = (value: object, path: Path): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).flatMap(([key, one]) => (isSecret([...path, key]) ? [] : [[key, shown(one, [...path, key])] as const])),
    )
  return fieldsShown(config, [])
}

/** The program, and what of its arguments can hold no secret. */
function commandShown([program, ...given]: readonly unknown[]): string[] {
  let after = ''
  const rest = given.map((argument) => {
    const [name = '', ...values] = String(argument).split('=')
    const option = isOption.test(name) ? name : undefined
    const value = values.join('=')
    const shown =
      option === undefined ? valueShown(after, String(argument)) : values.length === 0 ? option : `${option}=${valueShown(option, value)}`
    after = values.length === 0 && option !== undefined ? option : ''
    return shown
  })
  return [String(program), ...rest]
}

const valueShown = (option: string, value: string): string => (isPlain.test(value) && !isTelling.test(option) ? value : hidden)
