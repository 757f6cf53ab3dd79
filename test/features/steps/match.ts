import assert from 'node:assert/strict'
import type { DataTable } from '@cucumber/cucumber'
import { parse } from 'yaml'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

export const duration = /[0-9.]+ (?:ms|s|min|h)/

/** `10 s` in ms. */
export function milliseconds(text: string): number {
  const [number, unit = ''] = text.split(' ')
  const factor = units[unit] ?? assert.fail(`${text} is not a duration such as 10 s`)
  return Number(number) * factor
}

/** A table of `path | value` as an object: dots go down, values are YAML. */
export function fieldsOf(table: DataTable): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [path = '', value = ''] of table.raw()) {
    const names = path.split('.')
    const last = names.pop()!
    let at = root
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>
    at[last] = value === '(left out)' ? undefined : parse(value)
  }
  return root
}

/** What a path such as `replicas.0.state` finds. */
export function valueAt(subject: unknown, path: string): unknown {
  let found = subject
  for (const name of path.split('.'))
    found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[name] : undefined
  return found
}

/** Holds a value against a cell: `(some)`, `(none)`, a comparison such as `> 0`, a /pattern/, or the value itself as YAML. */
export function expectValue(actual: unknown, cell: string, what: string): void {
  const shown = `${what} is ${JSON.stringify(actual)}, not ${cell}`
  const comparison = /^(>=|<=|>|<) (-?[0-9.]+)$/.exec(cell)
  const pattern = /^\/(.*)\/$/.exec(cell)?.[1]
  if (cell === '(some)') assert.notEqual(actual ?? undefined, undefined, shown)
  else if (cell === '(none)') assert.equal(actual, undefined, shown)
  else if (comparison !== null) assert.ok(typeof actual === 'number' && holds(actual, String(comparison[1]), Number(comparison[2])), shown)
  else if (pattern !== undefined)
    assert.match(typeof actual === 'string' ? actual : JSON.stringify(actual ?? null), new RegExp(pattern), shown)
  else assert.deepEqual(actual, parse(cell), shown)
}

/** Holds a subject against a table of `path | cell`. */
export function expectFields(subject: unknown, table: DataTable): void {
  for (const [path = '', cell = ''] of table.raw()) expectValue(valueAt(subject, path), cell, path)
}

/** `"a", "b" and "c"` or `a, b, c` as a list. */
export const namesOf = (text: string): string[] => text.split(/, | and /).map((name) => name.trim())

function holds(actual: number, sign: string, bound: number): boolean {
  if (sign === '>') return actual > bound
  if (sign === '<') return actual < bound
  return sign === '>=' ? actual >= bound : actual <= bound
}
