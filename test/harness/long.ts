/** `npm run test:long` sets it: tests that are long by nature repeat as often as they can. */
export const long = process.env['TEST_LONG'] === '1'

/** How often a test repeats in `npm test` and in `npm run test:long`. The files that import this are the ones that `test:long` runs. */
export const repeats = (count: { readonly quick: number; readonly long: number }): number => (long ? count.long : count.quick)
