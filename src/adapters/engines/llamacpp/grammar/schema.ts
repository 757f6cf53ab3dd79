import { arrayOf } from './arrays.ts'
import { isDisjoint, openTogether } from './disjoint.ts'
import { isObject, keywordsOf, ruling, typeOf, types, unheld, whole, type Keywords, type Type } from './keywords.ts'
import { numberOf } from './numbers.ts'
import { anyObject, objectOf } from './objects.ts'
import { countOf, outermost, type Place, type Writer } from './place.ts'
import { resolve } from './refs.ts'
import { either, most_repeats, oneOfTexts, Rules, Unheld } from './rules.ts'
import { formatted, heldFormats, otherFormats, stringOf } from './strings.ts'

/** How much more ways there are within what a reference names, than where it is first named. */
interface Growth {
  readonly entered: number
  /** Undefined while it is not known. */
  readonly factor?: number
}

/** Schemas within schemas. */
const deepest = 64
/** Most values that are listed in all, and characters of those of one list. */
const most_values = 1000
const most_value_bytes = 32 * 1024
/** Schemas of a `oneOf`: each is held against each. */
const most_others = 64
/** Most ways in which an answer may be read while it is written: each token is tried against all of them. */
const most_ways = 128

/**
 * Writes what fits a JSON Schema as a grammar: every text of the grammar fits, but not every value that fits can be written (an object has
 * the properties that its schema names, in their order, and no others).
 */
export class SchemaWriter implements Writer {
  readonly rules = new Rules()
  private readonly root: unknown
  private readonly referred = new Map<string, string>()
  /** In how many ways what is written now may be read, at most. */
  private peak = 1
  /** Values listed so far. */
  private values = 0
  private readonly growth = new Map<string, Growth>()

  constructor(root: unknown) {
    this.root = root
  }

  /** @throws Unheld with the place and why */
  grammar(): string {
    const root = this.value(this.root, outermost)
    return this.rules.text(root)
  }

  value(schema: unknown, place: Place): string {
    if (schema === true) return this.anyValue()
    if (!isObject(schema)) throw new Unheld(place.path, schema === false ? 'lets no value fit' : 'must be a schema')
    if (place.depth > deepest) throw new Unheld('', `is nested more than ${deepest} deep`)
    const bad = unheld.find((keyword) => Object.hasOwn(schema, keyword) && schema[keyword] !== false)
    if (bad !== undefined) throw new Unheld(`${place.path}.${bad}`, 'no grammar here can hold it')
    const all = whole.find((keyword) => Object.hasOwn(schema, keyword))
    if (all === undefined) return this.typed(schema, place)
    const beside = Object.keys(schema).find((keyword) => ruling.has(keyword) && keyword !== all && !(keyword === 'type' && isListed(all)))
    if (beside !== undefined) throw new Unheld(`${place.path}.${beside}`, `no grammar here can hold it beside ${all}`)
    return this.rules.add(this.wholly(schema, all, place))
  }

  /** Any JSON value. */
  anyValue(): string {
    return this.named('any', () => {
      const scalars = ['string', 'number', 'boolean', 'null'] as const
      return either([anyObject(this), arrayOf(this, {}, outermost), ...scalars.map((type) => this.ofType(type, {}, ''))])
    })
  }

  named(key: string, says: () => string): string {
    const known = this.referred.get(key)
    if (known !== undefined) return known
    const name = this.rules.reserve()
    this.referred.set(key, name)
    this.rules.define(name, says())
    return name
  }

  private wholly(schema: Keywords, keyword: (typeof whole)[number], place: Place): string {
    const given = schema[keyword]
    const path = `${place.path}.${keyword}`
    if (keyword === '$ref') return this.reference(given, { ...place, path })
    if (keyword === 'const') return this.listed([given], schema['type'], path)
    const list: readonly unknown[] = Array.isArray(given) ? given : []
    if (list.length === 0) throw new Unheld(path, 'must be a list that is not empty')
    if (keyword === 'enum') return this.listed(list, schema['type'], path)
    if (keyword === 'allOf' && list.length > 1) throw new Unheld(path, 'no grammar here can hold more than one schema of it')
    if (keyword === 'oneOf' && list.length > most_others) throw new Unheld(path, `has more than ${most_others} schemas`)
    this.opened(place.ways * list.length, path)
    const ways = place.ways * openTogether(list, this.root)
    const says = either(list.map((one, i) => this.value(one, { ...place, ways, depth: place.depth + 1, path: `${path}[${i}]` })))
    if (keyword === 'oneOf' && !isDisjoint(list, this.root))
      throw new Unheld(path, 'a value may fit more than one of its schemas; use anyOf')
    return says
  }

  private reference(ref: unknown, place: Place): string {
    if (typeof ref !== 'string') throw new Unheld(place.path, 'must be a text')
    if (place.refs.includes(ref)) throw new Unheld(place.path, 'refers to itself')
    const found = resolve(this.root, ref)
    if (found === undefined) throw new Unheld(place.path, `there is no ${ref.slice(0, 100)} in the schema`)
    const { growth, peak } = this
    const known = growth.get(ref)
    if (known !== undefined) {
      // Within itself it would be read in as many ways again, and again.
      const grows = known.factor === undefined && place.ways > known.entered
      this.opened(grows ? Infinity : place.ways * (known.factor ?? 1), place.path)
    } else growth.set(ref, { entered: place.ways })
    return this.named(`#${ref}`, () => {
      this.peak = place.ways
      const inner = this.value(found, { ...place, depth: place.depth + 1, refs: [...place.refs, ref] })
      growth.set(ref, { entered: place.ways, factor: this.peak / place.ways })
      this.peak = Math.max(peak, this.peak)
      return inner
    })
  }

  /** @throws Unheld where the answer may be read in too many ways */
  private opened(ways: number, path: string): void {
    this.peak = Math.max(this.peak, ways)
    if (ways > most_ways) throw new Unheld(path, `schemas that begin alike make more than ${most_ways} ways to read an answer`)
  }

  private listed(values: readonly unknown[], type: unknown, path: string): string {
    const allowed = type === undefined ? values : values.filter((value) => isOfType(value, type))
    if (allowed.length === 0) throw new Unheld(path, 'has no value of the type')
    this.values += allowed.length
    const texts = allowed.map((value) => JSON.stringify(value))
    const bytes = texts.reduce((sum, text) => sum + text.length, 0)
    if (this.values > most_values || bytes > most_value_bytes)
      throw new Unheld(path, `is too large: ${most_values} values in all may be listed`)
    return oneOfTexts(texts)
  }

  private typed(schema: Keywords, place: Place): string {
    const given = schema['type'] ?? impliedTypes(schema)
    if (given === undefined) return this.anyValue()
    const list: readonly unknown[] = Array.isArray(given) ? given : [given]
    const known = list.filter((one): one is Type => types.some((type) => type === one))
    if (known.length < list.length || list.length === 0)
      throw new Unheld(`${place.path}.type`, `must be one of ${types.join(', ')}, or a list of them`)
    // Two ways to the same text are twice the work.
    const needed = known.filter((type) => type !== 'integer' || !known.includes('number'))
    return either(needed.map((type) => this.composed(type, schema, place)))
  }

  private composed(type: Type, schema: Keywords, place: Place): string {
    if (type === 'object') return this.rules.add(objectOf(this, schema, place))
    if (type === 'array') return this.rules.add(arrayOf(this, schema, place))
    return this.ofType(type, schema, place.path)
  }

  private ofType(type: Exclude<Type, 'object' | 'array'>, schema: Keywords, path: string): string {
    if (type === 'null') return '"null"'
    if (type === 'boolean') return '("true" | "false")'
    return this.rules.add(type === 'string' ? this.string(schema, path) : numberOf(type, schema, path))
  }

  private string(schema: Keywords, path: string): string {
    const { format } = schema
    const [least, most] = [countOf(schema, 'minLength', path) ?? 0, countOf(schema, 'maxLength', path)]
    if (least > Math.min(most ?? Infinity, most_repeats))
      throw new Unheld(`${path}.minLength`, `may be ${Math.min(most ?? Infinity, most_repeats)} at most here`)
    if (typeof format !== 'string' || !(heldFormats.includes(format) || otherFormats.includes(format)))
      return stringOf(this.rules, least, most)
    const says = least > 0 || most !== undefined ? undefined : formatted(this.rules, format)
    if (says === undefined)
      throw new Unheld(`${path}.format`, `a grammar here can hold ${heldFormats.join(', ')}, and no length beside them`)
    return says
  }
}

const isListed = (keyword: string): boolean => keyword === 'enum' || keyword === 'const'

function isOfType(value: unknown, type: unknown): boolean {
  const own = typeOf(value)
  const list: readonly unknown[] = Array.isArray(type) ? type : [type]
  return list.includes(own) || (own === 'integer' && list.includes('number'))
}

/** Types that the keywords of a schema speak of, where it names none. */
function impliedTypes(schema: Keywords): readonly Type[] | undefined {
  const spoken = types.filter((type) => keywordsOf[type]?.some((keyword) => Object.hasOwn(schema, keyword)))
  return spoken.length === 0 ? undefined : spoken
}
