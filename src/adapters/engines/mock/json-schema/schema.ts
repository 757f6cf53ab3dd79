/** The code points of a text, which schemas count. */
export const codePoints = (text: string): string[] => Array.from(text)

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The keywords of a schema. */
export type Keywords = Readonly<Record<string, unknown>>

/** No value fits the schema, or none that is found here. */
export class Unfit extends Error {
  override readonly name = 'Unfit'
  /** Nothing else is worth trying. */
  readonly final: boolean
  constructor(message: string, final = false) {
    super(message)
    this.final = final
  }
}

export const isObject = (value: unknown): value is Keywords => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The elements of a list of schemas; none where there is no list. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

/** A limit of a schema, where it has this one. */
export const limitOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)

/** The member of this name, inherited ones left out. */
export const member = (value: unknown, name: string): unknown => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)

/** Whether two JSON values are the same, whatever the order of their members. */
export function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, index) => equal(one, b[index]))
  if (!isObject(a) || !isObject(b)) return a === b
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
}

/** Type of a JSON value as schemas name it; whole numbers are integers. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** What `$ref` points to within the whole schema. @throws Unfit where there is nothing */
export function resolve(root: unknown, ref: unknown): unknown {
  if (typeof ref !== 'string' || !(ref === '#' || ref.startsWith('#/'))) throw new Unfit(`$ref ${String(ref)} does not begin with #/`, true)
  let found = root
  for (const step of ref.split('/').slice(1)) {
    const name = decode(step)
    found = Array.isArray(found) ? (found as unknown[])[Number(name)] : member(found, name)
    if (found === undefined) throw new Unfit(`$ref ${ref} points to nothing`, true)
  }
  return found
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}
