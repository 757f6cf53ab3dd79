import { limitOf, Unfit, type Keywords } from './schema.ts'

/** How far from a limit numbers are drawn that have no other one. */
const reach = 100
/** Multiples looked at. */
const tries = 200

interface Bounds {
  readonly low: number
  readonly high: number
  readonly above: number | undefined
  readonly below: number | undefined
}

function boundsOf(schema: Keywords): Bounds {
  const above = limitOf(schema['exclusiveMinimum'])
  const below = limitOf(schema['exclusiveMaximum'])
  const least = Math.max(limitOf(schema['minimum']) ?? -Infinity, above ?? -Infinity)
  const most = Math.min(limitOf(schema['maximum']) ?? Infinity, below ?? Infinity)
  const low = least > -Infinity ? least : most < Infinity ? Math.min(0, most - reach) : 0
  return { low, high: most < Infinity ? most : Math.max(low + reach, 0), above, below }
}

/** Whether a number keeps to the limits of a schema. */
export function fitsNumber(value: number, schema: Keywords): boolean {
  const { above = -Infinity, below = Infinity } = boundsOf(schema)
  const step = limitOf(schema['multipleOf'])
  return (
    value >= (limitOf(schema['minimum']) ?? -Infinity) &&
    value <= (limitOf(schema['maximum']) ?? Infinity) &&
    value > above &&
    value < below &&
    (step === undefined || step <= 0 || Number.isInteger(value / step))
  )
}

/** A number that fits. @param whole only whole ones @throws Unfit */
export function drawNumber(schema: Keywords, whole: boolean, next: () => number): number {
  const { low, high } = boundsOf(schema)
  const step = limitOf(schema['multipleOf']) ?? (whole ? 1 : undefined)
  const fits = (value: number): boolean => fitsNumber(value, schema) && (!whole || Number.isInteger(value)) && !Object.is(value, -0)
  if (step !== undefined && step > 0) {
    const first = Math.ceil(low / step)
    const count = Math.max(1, Math.floor(high / step) - first + 1)
    const offset = Math.floor(next() * count)
    for (let i = 0; i < Math.min(count, tries); i++) {
      // Not the sum of rounding errors: 0.7, not 0.7000000000000001.
      const value = Number(((first + ((offset + i) % count)) * step).toPrecision(15)) + 0
      if (fits(value)) return value
    }
    if (fits(0)) return 0
  } else
    for (let i = 0; i < tries; i++) {
      const exact = low + next() * (high - low)
      const rounded = Math.round(exact * 100) / 100 + 0
      for (const value of [rounded, exact, low]) if (fits(value)) return value
    }
  throw new Unfit(`no ${whole ? 'whole number' : 'number'} is found that keeps to minimum, maximum and multipleOf`)
}
