/** A value that came as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** An object that came as JSON: any field may be missing or of another type. */
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !(value instanceof Array)

/** The object, or an empty one where there is none. */
export const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** The objects of a list; none where it is no list. */
export const objectsOf = (value: Json | undefined): readonly JsonObject[] => (value instanceof Array ? value.filter(isObject) : [])

/** The string, or undefined where there is none or an empty one. */
export const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** The number, or undefined where there is none. */
export const numberOf = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined)

/** The numbers of a list; none where it is no list. */
export const numbersOf = (value: Json | undefined): number[] =>
  value instanceof Array ? value.filter((item): item is number => typeof item === 'number') : []

/** The object in a JSON text; undefined where the text is none or has something else. */
export function objectInText(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
