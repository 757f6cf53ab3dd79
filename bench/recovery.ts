import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atMost, median, rounded, type Section } from './section.ts'

/** What one child measured. */
export interface Recovered {
  readonly seconds: number
  /** All threads. */
  readonly cpu_seconds: number
}

const tasks = 100_000
const rounds = 5
const ways = ['sql', 'recover'] as const

/**
 * Reads 100,000 accepted and unfinished tasks back: the daemon up to the point where all are queued again, and plain SQL that reads the same
 * rows and does not even parse them. Each in a fresh process with its modules loaded, in turn.
 */
export function benchRecovery(): Promise<Section> {
  const data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
  const results: Recovered[][] = ways.map(() => [])
  const run = (what: string): string =>
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('children/recovery.ts', import.meta.url)), what, data_dir, String(tasks)], { encoding: 'utf8' })
  try {
    run('write')
    // Round -1 warms the disk's cache up and is not counted.
    for (let round = -1; round < rounds; round++)
      for (const [i, way] of ways.entries()) {
        const result = JSON.parse(run(way)) as Recovered
        if (round >= 0) results[i]?.push(result)
      }
  } finally {
    rmSync(data_dir, { recursive: true, force: true })
  }
  const of = (i: number, field: keyof Recovered): number => median((results[i] ?? []).map((result) => result[field]))
  return Promise.resolve({
    title: `Recovery of ${tasks} accepted tasks: the daemon until all are queued again, beside plain SQL that reads the same rows unparsed; medians of ${rounds} rounds in turn`,
    rows: ['plain SQL', 'daemon'].map((way, i) => ({ way, seconds: rounded(of(i, 'seconds')), cpu_seconds: rounded(of(i, 'cpu_seconds')) })),
    goals: [atMost('seconds, daemon to plain SQL', of(1, 'seconds') / of(0, 'seconds'), 3)],
  })
}
