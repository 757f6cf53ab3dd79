import type { Keywords } from './keywords.ts'
import { Unheld, type Rules } from './rules.ts'

/** Where a schema is, and what surrounds it. */
export interface Place {
  /** Such as `.properties.age`. */
  readonly path: string
  readonly depth: number
  /** What it has been referred to by, with nothing of the answer in between: what comes back here has no beginning. */
  readonly refs: readonly string[]
  /** In how many ways what is here may be read, at most, while it is written: schemas of `anyOf` that begin alike stay open until they differ. */
  readonly ways: number
}

/** The place of the whole schema. */
export const outermost: Place = { path: '', depth: 0, refs: [], ways: 1 }

/** A place within an object or a list of the answer. */
export const inside = ({ path, depth, ways }: Place, step: string): Place => ({ path: `${path}${step}`, depth: depth + 1, refs: [], ways })

/** What writes a schema, for those that write a part of it. */
export interface Writer {
  readonly rules: Rules
  /** What a value that fits may be, in the words of the grammar. @throws Unheld */
  value(schema: unknown, place: Place): string
  /** A rule that may be part of itself. @param says called once for each key */
  named(key: string, says: () => string): string
}

/** A count among the keywords; undefined where it is not there. @throws Unheld where it is no count */
export function countOf(schema: Keywords, keyword: string, path: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw new Unheld(`${path}.${keyword}`, 'must be a count')
  return value
}
