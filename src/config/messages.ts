import type { ErrorObject } from 'ajv'
import { hint, nearest } from '../domain/nearest.ts'
import { pathText, valueText, type Path, type Problem } from './problem.ts'
import { holdsSecret, readSchema, schemasAt, wordsOf, type Schema } from './schema.ts'

/** The problems that the validator found, one for each place; `config` is what it looked at. */
export function schemaProblems(errors: readonly ErrorObject[], config: unknown, root: Schema = readSchema()): Problem[] {
  const problems = new Map<string, Problem>()
  // Where the type is wrong, nothing else that is said of the value helps.
  const typesFirst = errors.toSorted((a, b) => Number(b.keyword === 'type') - Number(a.keyword === 'type'))
  for (const error of typesFirst) {
    const place = follow(error.instancePath, config)
    const problem = problemOf(error, place, root, schemasAt(root, config, place.path))
    const text = pathText(problem.path)
    if (!problems.has(text)) problems.set(text, problem)
  }
  return [...problems.values()]
}

/** What may be a misspelt key. Anything else may be a secret, as of `{name:key}`, which YAML takes for a key without a value. */
const isWord = /^[\w.-]{1,40}$/

/** The types of YAML as its users call them. */
const typeNames: Readonly<Record<string, string>> = { object: 'a mapping', array: 'a list' }

interface Place {
  readonly path: Path
  readonly value: unknown
}

function problemOf(error: ErrorObject, { path, value }: Place, root: Schema, schemas: readonly Schema[]): Problem {
  const params = error.params as Readonly<Record<string, unknown>>
  if (error.keyword === 'additionalProperties') {
    const word = String(params['additionalProperty'])
    const known = [...new Set(schemas.flatMap(({ properties = {} }) => Object.keys(properties)))]
    if (isWord.test(word)) return { path: [...path, word], says: `is not known here; ${hint(word, known)}` }
    return { path, says: `has a key that is not known here; known are ${known.join(', ')}` }
  }
  if (error.keyword === 'required') {
    const key = String(params['missingProperty'])
    return { path: [...path, key], says: `is missing${misspelt(key, value, schemas)}` }
  }
  if (error.keyword === 'discriminator') {
    const key = String(params['tag'])
    const pool = value as Readonly<Record<string, unknown>>
    const what = key === 'driver' ? `is not a driver of ${String(pool['engine'])}` : `is not an ${key}`
    const words = schemas.flatMap((schema) => (schema.discriminator?.propertyName === key ? wordsOf(root, schema, key) : []))
    return { path: [...path, key], says: notAmong(pool[key], words, what) + (pool[key] === undefined ? misspelt(key, value, schemas) : '') }
  }
  if (error.keyword === 'minItems') return { path, says: `needs at least ${String(params['limit'])} of what it lists` }
  // A mapping that may hold a secret may be a secret where it is none.
  const shown = schemas.some((schema) => holdsSecret(root, schema)) ? '' : `${valueText(value)} `
  if (error.keyword === 'enum') return { path, says: notAmong(value, params['allowedValues'] as unknown[], 'is not allowed') }
  if (error.keyword === 'pattern') {
    const examples = schemas.flatMap(({ examples = [] }) => examples)
    return {
      path,
      says: `${shown}must match ${String(params['pattern'])}${examples.length === 0 ? '' : `, as ${examples.join(' or ')} does`}`,
    }
  }
  const type = error.keyword === 'type' ? typeNames[String(params['type'])] : undefined
  return { path, says: `${shown}${type === undefined ? (error.message ?? 'is not allowed') : `must be ${type}`}` }
}

/** `; did you mean it by engin?` where the key that is missing may be there under a name that is not known. */
function misspelt(key: string, value: unknown, schemas: readonly Schema[]): string {
  const unknown = Object.keys(value as object).filter(
    (word) => isWord.test(word) && schemas.every(({ properties = {} }) => !(word in properties)),
  )
  const meant = nearest(key, unknown)
  return meant === undefined ? '' : `; did you mean it by ${meant}?`
}

/** `"drop" is not allowed; allowed are reject, drop-lru; did you mean drop-lru?` */
function notAmong(value: unknown, allowed: readonly unknown[], what: string): string {
  const words = allowed.map(String)
  const meant = words.length > 1 && typeof value === 'string' ? nearest(value, words) : undefined
  const said = value === undefined ? 'is missing' : `${valueText(value)} ${what}`
  return `${said}; allowed are ${words.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

/** The path that a JSON pointer stands for, and the value there. */
function follow(pointer: string, config: unknown): Place {
  const path: (string | number)[] = []
  let value = config
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(value) ? Number(key) : key)
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return { path, value }
}
