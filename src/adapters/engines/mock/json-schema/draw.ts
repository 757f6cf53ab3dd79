import { Choices } from './choices.ts'
import { elementSchema, memberSchema, merge } from './merge.ts'
import { misfits, type Look } from './misfit.ts'
import { drawNumber } from './numbers.ts'
import { equal, isObject, limitOf, listOf, resolve, Unfit, type Json, type Keywords } from './schema.ts'
import { drawText } from './text.ts'

/** From here on only what has to be there is drawn. */
const soft = 4
const deepest = 24
/** Schemas gone through for one value of the whole: what takes more is refused. */
const budget = 20_000
/** What a text by a pattern takes of the budget, and so do as many comparisons of elements. */
const dear = 100
/** Draws for one schema. */
const tries = 32

const unsupported = ['if', 'contains', 'dependentRequired', 'dependentSchemas', 'dependencies', '$dynamicRef', '$recursiveRef']
const inferred: readonly (readonly [type: string, keywords: readonly string[]])[] = [
  ['object', ['properties', 'required', 'additionalProperties', 'minProperties']],
  ['array', ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems']],
  ['string', ['pattern', 'format', 'minLength', 'maxLength']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
]

/**
 * A JSON value that fits a JSON Schema (2020-12, the part of it that clients of models use), drawn with `next`.
 * @throws Unfit where nothing fits, nothing is found, or a keyword is not supported
 */
export function drawJson(schema: unknown, next: () => number): Json {
  return new Drawing(schema, next).draw(schema, '#', 0)
}

class Drawing {
  private readonly look: Look
  private readonly next: () => number
  private spent = 0

  constructor(root: unknown, next: () => number) {
    this.look = { root, left: 10 * budget }
    this.next = next
  }

  draw(schema: unknown, at: string, depth: number): Json {
    if (depth > deepest) throw new Unfit(`${at}: contains itself without an end`)
    const seed = Math.floor(this.next() * 0x100000000)
    let last: unknown
    for (let attempt = 0; attempt < tries; attempt++) {
      const choices = new Choices(seed, attempt, depth >= soft)
      const others: unknown[] = []
      try {
        const value = this.value(this.flatten(schema, choices, others, at, 0), choices, at, depth)
        if (others.every((other) => misfits(other, value, this.look))) return value
        last = new Unfit(`${at}: no value is found that fits one schema of oneOf only, or that does not fit the schema of not`)
      } catch (error) {
        if (!(error instanceof Unfit) || error.final) throw error
        last = error
      }
      if (!choices.made && others.length === 0) break
    }
    throw last
  }

  /** The schema with its references and combinations resolved, as chosen. @param others gets the schemas that the value must not fit */
  private flatten(schema: unknown, choices: Choices, others: unknown[], at: string, depth: number): Keywords {
    this.spend(depth > 64 ? budget : 1, at)
    if (schema === true || schema === undefined) return {}
    if (!isObject(schema)) throw new Unfit(`${at}: allows no value`)
    const keyword = unsupported.find((one) => one in schema)
    if (keyword !== undefined) throw new Unfit(`${at}: the mock engine cannot keep to ${keyword}`, true)
    const { $ref, allOf, anyOf, oneOf, not, ...own } = schema
    let flat: Keywords = own
    const hold = (inner: unknown): void => {
      flat = merge(flat, this.flatten(inner, choices, others, at, depth + 1))
    }
    if ($ref !== undefined) hold(resolve(this.look.root, $ref))
    for (const one of listOf(allOf)) hold(one)
    if (listOf(anyOf).length > 0) hold(listOf(anyOf)[choices.pick(listOf(anyOf))])
    const exclusive = listOf(oneOf)
    if (exclusive.length > 0) {
      const chosen = choices.pick(exclusive)
      hold(exclusive[chosen])
      others.push(...exclusive.filter((_, index) => index !== chosen))
    }
    if (not !== undefined) others.push(not)
    return flat
  }

  private value(schema: Keywords, choices: Choices, at: string, depth: number): Json {
    if ('const' in schema || Array.isArray(schema['enum'])) {
      const { const: only, enum: several, ...rest } = schema
      const named = 'const' in schema ? [only] : listOf(several)
      const fitting = named.filter(
        (one) => !misfits(rest, one, this.look) && !('const' in schema && misfits({ enum: several }, one, this.look)),
      )
      if (fitting.length === 0) throw new Unfit(`${at}: no value of const or enum fits the rest of the schema`)
      return fitting[Math.floor(this.next() * fitting.length)] as Json
    }
    const type = typeIn(schema, choices)
    if (type === 'null') return null
    if (type === 'boolean') return this.next() < 0.5
    if (type === 'object') return this.object(schema, at, depth)
    if (type === 'array') return this.array(schema, at, depth)
    if ('pattern' in schema) this.spend(dear, at)
    if (type === 'string') return this.named(at, () => drawText(schema, this.next))
    if (type === 'integer' || type === 'number') return this.named(at, () => drawNumber(schema, type === 'integer', this.next))
    throw new Unfit(`${at}: ${String(type)} is not a type`, true)
  }

  private spend(cost: number, at: string): void {
    this.spent += cost
    if (this.spent > budget) throw new Unfit(`${at}: the schema is too large for the mock engine`, true)
  }

  private array(schema: Keywords, at: string, depth: number): Json {
    const prefix = listOf(schema['prefixItems']).length
    const min = limitOf(schema['minItems']) ?? 0
    const room = schema['items'] === false ? prefix : Infinity
    const max = Math.min(limitOf(schema['maxItems']) ?? Infinity, room)
    if (min > max) throw new Unfit(`${at}: minItems ${min} is more than there may be (${max})`)
    const wanted = depth >= soft ? min : Math.max(prefix, min + Math.floor(this.next() * 3), min === 0 ? 1 : 0)
    const elements: Json[] = []
    while (elements.length < Math.min(wanted, max)) {
      const one = this.maybe(elements.length >= min, () =>
        this.element(
          elementSchema(schema, elements.length),
          schema['uniqueItems'] === true ? elements : [],
          `${at}/${elements.length}`,
          depth,
        ),
      )
      if (one === undefined) break
      elements.push(one)
    }
    return elements
  }

  /** @param others that it must differ from */
  private element(schema: unknown, others: readonly Json[], at: string, depth: number): Json {
    for (let attempt = 0; attempt < tries; attempt++) {
      const one = this.draw(schema, at, depth + 1)
      this.spend(others.length / dear, at)
      if (!others.some((other) => equal(one, other))) return one
    }
    throw new Unfit(`${at}: no element is found that differs from the others`)
  }

  private object(schema: Keywords, at: string, depth: number): Json {
    const required = new Set(listOf(schema['required']).filter((name) => typeof name === 'string'))
    const named = isObject(schema['properties']) ? Object.keys(schema['properties']) : []
    const min = Math.max(limitOf(schema['minProperties']) ?? 0, required.size)
    const max = limitOf(schema['maxProperties']) ?? Infinity
    if (min > max) throw new Unfit(`${at}: more members are required than maxProperties ${max}`)
    const members = new Map<string, Json>()
    const add = (name: string, optional: boolean): void => {
      const one = this.maybe(optional, () => this.draw(this.known(schema, name, at), `${at}/${name}`, depth + 1))
      if (one !== undefined) members.set(name, one)
    }
    let optional = max - required.size
    for (const name of new Set([...named, ...required])) {
      if (required.has(name)) add(name, false)
      else if (optional > 0 && depth < soft && this.next() < 0.75) {
        add(name, true)
        optional--
      }
    }
    for (const name of named) if (members.size < min && !members.has(name)) add(name, true)
    for (let extra = 1; members.size < min; extra++) if (!members.has(`extra${extra}`)) add(`extra${extra}`, false)
    // From entries, so that a member may have any name.
    return Object.fromEntries(members)
  }

  /** The schema of a member that is drawn. */
  private known(schema: Keywords, name: string, at: string): unknown {
    for (const keyword of ['patternProperties', 'propertyNames'])
      if (isObject(schema[keyword]) && Object.keys(schema[keyword]).length > 0)
        throw new Unfit(`${at}: the mock engine cannot keep to ${keyword}`, true)
    const inner = memberSchema(schema, name)
    return inner === undefined && schema['unevaluatedProperties'] === false ? false : inner
  }

  /** Draws what may be left out where nothing fits. */
  private maybe(optional: boolean, draw: () => Json): Json | undefined {
    try {
      return draw()
    } catch (error) {
      if (!optional || !(error instanceof Unfit) || error.final) throw error
      return undefined
    }
  }

  private named<T>(at: string, draw: () => T): T {
    try {
      return draw()
    } catch (error) {
      throw error instanceof Unfit ? new Unfit(`${at}: ${error.message}`, error.final) : error
    }
  }
}

/** The type to draw; what a schema without one is about decides. */
function typeIn(schema: Keywords, choices: Choices): unknown {
  const { type } = schema
  if (Array.isArray(type)) return type.length === 0 ? 'no type' : (type as unknown[])[choices.pick(type)]
  if (type !== undefined) return type
  return inferred.find(([, keywords]) => keywords.some((keyword) => keyword in schema))?.[0] ?? 'string'
}
