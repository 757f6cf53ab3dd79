import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Gate } from './gates.ts'

/** Something that failed. */
export interface Failure {
  readonly what: string
  /** How to run only that. */
  readonly alone: string
}

/** What came of a gate. */
export interface Outcome {
  readonly gate: Gate
  readonly passed: number
  readonly failures: readonly Failure[]
  /** Suites of the tests that were skipped, one entry a test: their titles say why. */
  readonly skipped: readonly string[]
  /** What to show where something failed. */
  readonly output: string
  readonly elapsed_ms: number
}

/** How a gate's process ended, and where its runner reported. */
export interface Ended {
  readonly gate: Gate
  /** Exit status; null after a signal. */
  readonly status: number | null
  /** It was ended, for it went on long after it had reported. */
  readonly stayed: boolean
  readonly output: string
  /** File of the runner's report, which is missing where the runner did not get that far. */
  readonly report: string
  readonly elapsed_ms: number
}

/** A test as mocha's JSON reporter tells it. */
interface MochaTest {
  readonly title: string
  readonly fullTitle: string
  readonly file?: string
  readonly err: { readonly message?: string; readonly stack?: string }
}

/** Arguments that make a gate's runner report to a file. */
export function reportTo(gate: Gate, file: string): string {
  if (gate.kind === 'mocha') return ` --reporter json --reporter-option output=${file}`
  return gate.kind === 'cucumber' ? ` --format rerun:${file}` : ''
}

/** Counts what passed and failed. A runner that ends badly without naming a failure has failed all the same, and so has one without any test. */
export function judge(root: string, ended: Ended): Outcome {
  const { gate, status, stayed, output, elapsed_ms } = ended
  const told = tellers[gate.kind](root, ended)
  const failures = [...told.failures]
  if (failures.length === 0 && (status !== 0 || told.passed + told.skipped.length === 0))
    failures.push({ what: stayed ? `${gate.name}: what a test left behind kept its runner from ending` : gate.name, alone: gate.alone })
  return { gate, passed: told.passed, failures, skipped: told.skipped, output: `${output}${told.output}`, elapsed_ms }
}

interface Told {
  readonly passed: number
  readonly failures: readonly Failure[]
  readonly skipped: readonly string[]
  readonly output: string
}

const nothing: Told = { passed: 0, failures: [], skipped: [], output: '' }

const tellers: Readonly<Record<Gate['kind'], (root: string, ended: Ended) => Told>> = {
  check: (_root, { status }) => ({ ...nothing, passed: status === 0 ? 1 : 0 }),

  mocha(root, { gate, report }) {
    if (!existsSync(report)) return nothing
    const { passes, failures, pending } = JSON.parse(readFileSync(report, 'utf8')) as Record<'passes' | 'failures' | 'pending', MochaTest[]>
    const long = gate.env['TEST_LONG'] === undefined ? '' : 'TEST_LONG=1 '
    return {
      passed: passes.length,
      failures: failures.map(({ fullTitle, file }) => ({
        what: fullTitle,
        alone: file === undefined ? gate.alone : `${long}npm run mocha -- ${relative(root, file)}`,
      })),
      skipped: pending.map(({ title, fullTitle }) => fullTitle.slice(0, -title.length).trim()),
      output: failures.map(({ fullTitle, err }) => `\n${fullTitle}\n${err.stack ?? err.message ?? ''}\n`).join(''),
    }
  },

  cucumber(_root, { output, report }) {
    // What did not pass has failed, whatever else cucumber-js calls it. Its report has files and lines: `a.feature:3:17`.
    const passed = Number(/^\d+ scenarios? .*?(\d+) passed/m.exec(output)?.[1] ?? 0)
    const places = existsSync(report) ? readFileSync(report, 'utf8').split('\n').flatMap(eachLine) : []
    return { passed, failures: places.map((place) => ({ what: place, alone: `npm run cucumber -- ${place}` })), skipped: [], output: '' }
  },
}

/** `file:3:17` as `file:3` and `file:17`. */
const eachLine = (place: string): string[] => {
  const [file = '', ...lines] = place.trim().split(':')
  return lines.map((line) => `${file}:${line}`)
}
