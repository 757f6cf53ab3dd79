import { isObject, type Keywords } from './keywords.ts'
import { jsonLiteral, literal, most_repeats, space, Unheld } from './rules.ts'
import { countOf, inside, outermost, type Place, type Writer } from './place.ts'

/** Most properties of an object that may be left out: each token of a name is tried against all that may come. */
const most_open = 128

interface Member {
  readonly says: string
  readonly required: boolean
}

/** Any object. */
export const anyObject = (writer: Writer): string => writer.named('object', () => objectOf(writer, { type: 'object' }, outermost))

/** An object that fits: with the properties that its schema names, or with any names where it names none. @throws Unheld */
export function objectOf(writer: Writer, schema: Keywords, place: Place): string {
  const { additionalProperties: others = true } = schema
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = new Set<unknown>(Array.isArray(schema['required']) ? schema['required'] : [])
  const [least, most] = [countOf(schema, 'minProperties', place.path) ?? 0, countOf(schema, 'maxProperties', place.path) ?? Infinity]
  const named = Object.keys(properties)
  const unnamed = [...required].filter((name): name is string => typeof name === 'string' && !Object.hasOwn(properties, name))
  if (others === false && unnamed.length > 0)
    throw new Unheld(`${place.path}.required`, `${unnamed[0] ?? ''} is no property, and others are ruled out`)
  if (named.length + unnamed.length === 0) return mapOf(writer, others, { least, most }, place)
  const members = [...named, ...unnamed].flatMap((name): Member[] => {
    const isRequired = required.has(name)
    const own = Object.hasOwn(properties, name)
    const value = own ? properties[name] : others
    if (value === false && !isRequired) return []
    const step = own ? `.properties.${name}` : '.additionalProperties'
    return [
      { says: writer.rules.add(`${jsonLiteral(name)} ":" ${space} ${writer.value(value, inside(place, step))}`), required: isRequired },
    ]
  })
  const certain = members.filter((member) => member.required).length
  if (members.length - certain > most_open)
    throw new Unheld(`${place.path}.properties`, `more than ${most_open} that may be left out are too many for a grammar here`)
  if (least > certain)
    throw new Unheld(`${place.path}.minProperties`, 'no grammar here can hold more than the properties that are required')
  if (most < members.length)
    throw new Unheld(`${place.path}.maxProperties`, 'no grammar here can hold less than the properties that there may be')
  return braces(membersOf(writer, members))
}

const braces = (says: string): string => `${literal('{')} ${space} ${says} ${space} ${literal('}')}`

/** Members in their order. With one that is required it is certain that something is written: before it each opens two ways more. */
function membersOf(writer: Writer, members: readonly Member[]): string {
  const first = members.findIndex(({ required }) => required)
  const certain = first < 0 ? members.length : first
  let after = ''
  let begin = ''
  for (const [i, { says, required }] of [...members.entries()].reverse()) {
    const here = `${says} ${after}`.trim()
    if (i <= certain) begin = writer.rules.add(required ? here : begin === '' ? `(${here})?` : `(${here} | ${begin})`)
    if (i > 0) after = writer.rules.add(required ? `"," ${space} ${here}` : `("," ${space} ${says})? ${after}`)
  }
  return begin
}

/** An object of any names. A name that comes twice counts once: so much as a second one cannot be asked for. */
function mapOf(writer: Writer, values: unknown, { least, most }: { least: number; most: number }, place: Place): string {
  if (least > 1 || least > most)
    throw new Unheld(`${place.path}.minProperties`, 'a grammar here can hold 1 at most of names that are not given')
  if (values === false || most === 0) {
    if (least > 0) throw new Unheld(`${place.path}.minProperties`, 'leaves no object')
    return `${literal('{')} ${space} ${literal('}')}`
  }
  const value = writer.value(values, inside(place, '.additionalProperties'))
  const name = writer.value({ type: 'string' }, inside(place, ''))
  const pair = writer.rules.add(`${name} ":" ${space} ${value}`)
  const rest = writer.rules.repeat(`"," ${space} ${pair}`, 0, most === Infinity ? undefined : Math.min(most, most_repeats) - 1)
  return braces(least === 0 ? `(${pair} ${rest})?` : `${pair} ${rest}`)
}
