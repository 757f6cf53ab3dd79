import type { Check } from './walk.ts'

const escaped = (text: string): string =>
  text.replaceAll(
    /[&<>"\x00-\x08\x0b\x0c\x0e-\x1f]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] ?? ' ',
  )

/** The checks as JUnit's XML, which CI systems read. */
export function junitOf(checks: readonly Check[], suite: string): string {
  const cases = checks.map(({ operation, what, problems, ms, skipped }) => {
    const inside = [
      ...problems.map((problem) => `<failure message="${escaped(problem.slice(0, 200))}">${escaped(problem)}</failure>`),
      ...(skipped === undefined ? [] : [`<skipped message="${escaped(skipped)}"/>`]),
    ].join('')
    return `  <testcase classname="${escaped(operation)}" name="${escaped(what)}" time="${(ms / 1000).toFixed(3)}">${inside}</testcase>`
  })
  const failures = checks.filter(({ problems }) => problems.length > 0).length
  const skips = checks.filter(({ skipped }) => skipped !== undefined).length
  const counts = `tests="${checks.length}" failures="${failures}" skipped="${skips}" errors="0"`
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuite name="${escaped(suite)}" ${counts}>`, ...cases, '</testsuite>', ''].join(
    '\n',
  )
}
