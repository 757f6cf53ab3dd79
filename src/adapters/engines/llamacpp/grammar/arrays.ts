import { isObject, type Keywords } from './keywords.ts'
import { literal, most_repeats, space, Unheld } from './rules.ts'
import { countOf, inside, type Place, type Writer } from './place.ts'

/** A list that fits. @throws Unheld */
export function arrayOf(writer: Writer, schema: Keywords, place: Place): string {
  const { items = true, prefixItems } = schema
  const [least, most] = [countOf(schema, 'minItems', place.path) ?? 0, countOf(schema, 'maxItems', place.path) ?? Infinity]
  const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : []
  if (Array.isArray(items) || (typeof items !== 'boolean' && !isObject(items))) throw new Unheld(`${place.path}.items`, 'must be a schema')
  if (least > most_repeats) throw new Unheld(`${place.path}.minItems`, `may be ${most_repeats} at most here`)
  if (least > most) throw new Unheld(`${place.path}.minItems`, 'is more than maxItems')
  if (items === false && least > first.length) throw new Unheld(`${place.path}.minItems`, 'is more than the items there may be')
  const begun = first.slice(0, most)
  const element = (i: number): string => writer.value(begun[i], inside(place, `.prefixItems[${i}]`))
  const rest = items === false ? 0 : Math.min(most, most_repeats) - begun.length
  const separator = `"," ${space}`
  let says = ''
  if (rest > 0) {
    const one = writer.value(items, inside(place, '.items'))
    const unbounded = most === Infinity
    const needed = Math.max(0, least - begun.length)
    if (begun.length > 0) says = writer.rules.repeat(`${separator} ${one}`, needed, unbounded ? undefined : rest)
    else {
      says = `${one} ${writer.rules.repeat(`${separator} ${one}`, Math.max(0, needed - 1), unbounded ? undefined : rest - 1)}`
      if (needed === 0) says = `(${says})?`
    }
  }
  // From the last to the first: what may be left out takes all behind it along.
  for (let i = begun.length - 1; i >= 0; i--) {
    const here = `${i === 0 ? '' : `${separator} `}${element(i)} ${says}`.trim()
    says = writer.rules.add(i < least ? here : `(${here})?`)
  }
  return `${literal('[')} ${space} ${says} ${space} ${literal(']')}`
}
