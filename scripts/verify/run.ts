import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Gate } from './gates.ts'
import { judge, reportTo, type Outcome } from './outcome.ts'

/** Where gates run and report. */
export interface Place {
  /** Root of the repository. */
  readonly root: string
  /** A directory for the runners' reports. */
  readonly reports: string
}

/** How long mocha may go on once it has reported, which is the last thing it does. */
const most_after_report_ms = 60_000

/** Runs gates in the order given, so many side by side; `onEnd` hears of each as it ends. */
export async function runAll(place: Place, gates: readonly Gate[], lanes: number, onEnd: (outcome: Outcome) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = gates.entries()
  const lane = async (): Promise<void> => {
    // Lanes share the iterator: each gate is taken by one of them.
    for (const [number, gate] of waiting) {
      const outcome = await run(place, gate, join(place.reports, String(number)))
      outcomes.push(outcome)
      onEnd(outcome)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return outcomes
}

function run({ root }: Place, gate: Gate, report: string): Promise<Outcome> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(`exec ${gate.command}${reportTo(gate, report)}`, {
      shell: true,
      cwd: root,
      env: { ...process.env, ...gate.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let stayed = false
    // A timer or a connection that a test leaves behind keeps its runner for as long as it lasts, and says nothing.
    const watch = setInterval(() => {
      if (gate.kind !== 'mocha') return
      const reported_ms = statSync(report, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
      if (Date.now() - reported_ms > most_after_report_ms) stayed = child.kill('SIGKILL')
    }, 1000)
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      clearInterval(watch)
      resolve(judge(root, { gate, status, stayed, output, report, elapsed_ms: performance.now() - began }))
    })
  })
}
