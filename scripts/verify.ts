/**
 * `npm test` runs every gate, `npm run test:long` the tests that are long by nature with all their repetitions; `quick` and `long` name them,
 * and both may be given. Gates run side by side, and each is shown when it has ended: one line where it passed, all of its output where not;
 * what was skipped has a line that says why. The last lines say what failed and how to run only that; the very last one counts: a check is
 * one, tests and scenarios count each.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { longGates, quickGates } from './verify/gates.ts'
import type { Outcome } from './verify/outcome.ts'
import { runAll } from './verify/run.ts'

const root = join(import.meta.dirname, '..')
const { freshProgram } = createRequire(import.meta.url)('./fresh.cjs') as { freshProgram: () => Promise<string> }
const gatesOf: Readonly<Record<string, typeof quickGates>> = { quick: quickGates, long: longGates }
/** One more than there are cores, for some gates wait; more than four would cost more memory than they save time. */
const lanes = Math.min(4, availableParallelism() + 1)

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function show({ gate, passed, failures, skipped, output, elapsed_ms }: Outcome): void {
  const counted = gate.kind === 'check' ? '' : `, ${passed} passed${failures.length === 0 ? '' : `, ${failures.length} failed`}`
  if (failures.length > 0) console.log(`\n== ${gate.name}: ${gate.command}\n${output.trim()}\n`)
  console.log(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${gate.name} (${seconds(elapsed_ms)}${counted})`)
  for (const suite of new Set(skipped)) console.log(`       skipped ${skipped.filter((other) => other === suite).length}: ${suite}`)
}

const named = process.argv.slice(2)
const gates = (named.length === 0 ? ['quick'] : named).flatMap((name) => {
  const of = gatesOf[name]
  if (of === undefined) throw new Error(`verify runs ${Object.keys(gatesOf).join(' and ')}, not ${name}`)
  return of(root)
})
// Once for all gates: by themselves several would build it side by side.
await freshProgram()
console.log(`${gates.length} gates, ${lanes} side by side`)
const reports = mkdtempSync(join(tmpdir(), 'orchd-verify-'))
const began = performance.now()
try {
  const outcomes = await runAll({ root, reports }, gates, lanes, show)
  const failures = outcomes.flatMap((outcome) => outcome.failures)
  console.log(`all of it took ${seconds(performance.now() - began)}`)
  if (failures.length > 0) {
    console.log('\nFailed, and how to run only that:')
    for (const { what, alone } of failures) console.log(`  ${what}\n    ${alone}`)
  }
  const [passed, skipped] = [outcomes.reduce((sum, one) => sum + one.passed, 0), outcomes.flatMap((one) => one.skipped).length]
  console.log(`\n${passed} passed, ${failures.length} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
  process.exitCode = failures.length === 0 ? 0 : 1
} finally {
  rmSync(reports, { recursive: true, force: true })
}
