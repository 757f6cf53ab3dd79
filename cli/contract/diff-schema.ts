import { allToldApart } from './alternatives.ts'
import { type Contract, isObject, type Json, type JsonObject, listOf, objectOf, textOf } from './document.ts'
import { expanded, isAnnotation, sameJson, show } from './same.ts'

/** A change that breaks clients. */
export interface Finding {
  /** Operation, direction and field: `POST /v1/tasks > request > body.max_tokens`. */
  readonly where: string
  readonly what: string
}

/**
 * Who writes the value. What clients send must stay accepted: everything the old schema takes, the new one takes (`request`).
 * What they receive must stay as they know it: everything the new schema allows, the old one allowed (`response`), except for fields of
 * objects that are new, which clients ignore.
 */
export type Direction = 'request' | 'response'

type Change = 'narrowed' | 'widened' | 'changed'
type Report = (change: Change, what: string) => void

const lowerBounds = ['minimum', 'minLength', 'minItems', 'minProperties'] as const
const upperBounds = ['maximum', 'maxLength', 'maxItems', 'maxProperties'] as const
/** Compared by code of their own. */
const structural = new Set<string>([
  'type',
  'enum',
  'nullable',
  'default',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  ...lowerBounds,
  ...upperBounds,
])

/** Compares schemas of two contracts and collects what breaks clients. */
export class SchemaDiff {
  private readonly before: Contract
  private readonly after: Contract
  private readonly found: Finding[]
  private readonly seen = new Set<string>()

  constructor(before: Contract, after: Contract, found: Finding[]) {
    this.before = before
    this.after = after
    this.found = found
  }

  compare(direction: Direction, where: string, before: Json | undefined, after: Json | undefined): void {
    // Once for each pair: a shared schema is reported where it is met first, and one that contains itself ends.
    const refs = [objectOf(before)['$ref'], objectOf(after)['$ref']]
    const pair = `${direction} ${show(refs[0] ?? before)} ${show(refs[1] ?? after)}`
    if (refs.some((ref) => ref !== undefined)) {
      if (this.seen.has(pair)) return
      this.seen.add(pair)
    }
    const [from, to] = [this.before.resolve(before) ?? {}, this.after.resolve(after) ?? {}]
    const report: Report = (change, what) => {
      if (change === 'changed' || change === (direction === 'request' ? 'narrowed' : 'widened')) this.found.push({ where, what })
    }
    compareTypes(from, to, report)
    compareEnums(from, to, report)
    compareBounds(from, to, report)
    compareOthers(from, to, report)
    // What a client leaves out means what it meant.
    if (direction === 'request' && !sameJson(from['default'], to['default']))
      report('changed', `the default changed from ${show(from['default'])} to ${show(to['default'])}`)
    this.compareCombinations(direction, where, from, to, report)
    this.compareObjects(direction, where, from, to, report)
    if (from['items'] !== undefined || to['items'] !== undefined) this.compare(direction, `${where}[]`, from['items'], to['items'])
  }

  private compareCombinations(direction: Direction, where: string, from: JsonObject, to: JsonObject, report: Report): void {
    if (!this.saysTheSame(from['not'] ?? null, to['not'] ?? null)) report('changed', 'what not excludes changed')
    for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
      if (from[keyword] === undefined && to[keyword] === undefined) continue
      if (from[keyword] === undefined) report('narrowed', `${keyword} was added`)
      else if (to[keyword] === undefined) report('widened', `${keyword} was removed`)
      else this.compareAlternatives(direction, where, keyword, listOf(from[keyword]), listOf(to[keyword]), report)
    }
  }

  private compareAlternatives(direction: Direction, where: string, keyword: string, old: Json[], now: Json[], report: Report): void {
    const counterpart = (list: Json[], one: Json): Json | undefined => list.find((other) => sameJson(one, other))
    const gone = old.some((one) => counterpart(now, one) === undefined)
    const added = now.some((one) => counterpart(old, one) === undefined)
    const [less, more]: [Change, Change] = keyword === 'allOf' ? ['widened', 'narrowed'] : ['narrowed', 'widened']
    if (gone) report(added ? 'changed' : less, `an alternative of ${keyword} was removed or changed`)
    else if (added) report(more, `an alternative of ${keyword} was added`)
    // What fits two alternatives of oneOf is refused; where nothing can, oneOf means what anyOf means.
    if (keyword === 'oneOf' && direction === 'request' && !allToldApart(this.after, now) && !this.saysTheSame(old, now))
      report('changed', 'a value may now fit two alternatives of oneOf')
    // A reference that stayed may point to a schema that did not.
    for (const [index, one] of old.entries()) {
      const other = counterpart(now, one)
      const ref = textOf(objectOf(one)['$ref'])
      const name = ref === '' ? `alternative ${index + 1} of ${keyword}` : ref.slice(ref.lastIndexOf('/') + 1)
      if (other !== undefined) this.compare(direction, `${where} as ${name}`, one, other)
    }
  }

  /** Whether both say the same with all that they refer to. */
  private saysTheSame(from: Json, to: Json): boolean {
    return sameJson(expanded(this.before, from), expanded(this.after, to))
  }

  private compareObjects(direction: Direction, where: string, from: JsonObject, to: JsonObject, report: Report): void {
    const [old, now] = [objectOf(from['properties']), objectOf(to['properties'])]
    const [oldRequired, nowRequired] = [listOf(from['required']).map(textOf), listOf(to['required']).map(textOf)]
    for (const name of nowRequired) if (!oldRequired.includes(name)) report('narrowed', `${name} became required`)
    for (const name of oldRequired) if (!nowRequired.includes(name)) report('widened', `${name} is no longer always there`)
    for (const [name, schema] of Object.entries(old)) {
      const at = `${where}.${name}`
      if (name in now) this.compare(direction, at, schema, now[name])
      // In a request an unknown field is refused; in a response somebody reads it.
      else this.found.push({ where: at, what: 'the field was removed' })
    }
    const [oldRest, nowRest] = [from['additionalProperties'], to['additionalProperties']]
    for (const [name, schema] of Object.entries(now)) {
      if (name in old || (direction === 'request' ? oldRest === false : !isObject(oldRest))) continue
      // It was there before, as one of many.
      this.compare(direction, `${where}.${name}`, isObject(oldRest) ? oldRest : {}, schema)
    }
    if (nowRest === false && oldRest !== false && takesObjects(from))
      report(isObject(oldRest) ? 'changed' : 'narrowed', 'fields of any name are gone')
    if (isObject(nowRest) && oldRest !== false) this.compare(direction, `${where}.*`, isObject(oldRest) ? oldRest : {}, nowRest)
    if (isObject(oldRest) && !isObject(nowRest) && nowRest !== false) report('widened', 'fields of any name may now be anything')
  }
}

const takesObjects = ({ type }: JsonObject): boolean => type === undefined || type === 'object'

function compareTypes(from: JsonObject, to: JsonObject, report: Report): void {
  const [old, now] = [from['type'], to['type']]
  const what = `the type changed from ${show(old)} to ${show(now)}`
  if (old !== now) {
    if (old === undefined || (old === 'number' && now === 'integer')) report('narrowed', what)
    else if (now === undefined || (old === 'integer' && now === 'number')) report('widened', what)
    else report('changed', what)
  }
  if (old === undefined || now === undefined) return
  const [oldNull, nowNull] = [from['nullable'] === true, to['nullable'] === true]
  if (oldNull !== nowNull) report(nowNull ? 'widened' : 'narrowed', nowNull ? 'it may now be null' : 'it may no longer be null')
}

function compareEnums(from: JsonObject, to: JsonObject, report: Report): void {
  const [old, now] = [from['enum'], to['enum']]
  if (!Array.isArray(old)) {
    if (Array.isArray(now)) report('narrowed', `only ${show(now)} is left`)
    return
  }
  if (!Array.isArray(now)) {
    report('widened', `it was one of ${show(old)} and may now be anything`)
    return
  }
  const values = new Set(now.map(show))
  const known = new Set(old.map(show))
  for (const value of old) if (!values.has(show(value))) report('changed', `the value ${show(value)} was removed`)
  // A client that was told that there will be more is not broken by them, and no client has to send them.
  if (from['x-extensible'] === true) return
  for (const value of now) if (!known.has(show(value))) report('widened', `the value ${show(value)} was added`)
}

function compareBounds(from: JsonObject, to: JsonObject, report: Report): void {
  for (const [keywords, sign] of [
    [lowerBounds, 1],
    [upperBounds, -1],
  ] as const)
    for (const keyword of keywords) {
      const [old, now] = [from[keyword], to[keyword]]
      if (old === now) continue
      const what = `${keyword} changed from ${show(old)} to ${show(now)}`
      if (typeof old !== 'number') report('narrowed', what)
      else if (typeof now !== 'number') report('widened', what)
      else report((now - old) * sign > 0 ? 'narrowed' : 'widened', what)
    }
}

/** Pattern, format, multipleOf and any keyword this code has never heard of: whatever it says, it said something else before. */
function compareOthers(from: JsonObject, to: JsonObject, report: Report): void {
  for (const keyword of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (structural.has(keyword) || isAnnotation(keyword)) continue
    const [old, now] = [from[keyword], to[keyword]].map((value) => (value === false ? undefined : value))
    if (sameJson(old, now)) continue
    const what = `${keyword} changed from ${show(old)} to ${show(now)}`
    report(old === undefined ? 'narrowed' : now === undefined ? 'widened' : 'changed', what)
  }
}
