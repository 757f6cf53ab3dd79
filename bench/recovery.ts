import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atMost, geometricMean, median, rounded, type Section } from './section.ts'

/** What one child measured. */
export interface Recovered {
  readonly seconds: number
  /** All threads. */
  readonly cpu_seconds: number
}

const tasks = 100_000
const rounds = 15
const ways = ['sql', 'recover', 'empty'] as const

/**
 * Reads 100,000 accepted and unfinished tasks and their 25,000 sessions back: the daemon up to the point where all are queued again, less what
 * it takes with an empty directory, and plain SQL that reads the same rows and does not even parse them. Each in a fresh process with its
 * modules loaded, in turn.
 */
export function benchRecovery(): Promise<Section> {
  const temporary = (): string => mkdtempSync(join(tmpdir(), 'orchestratord-bench-'))
  const [data_dir, empty_dir] = [temporary(), temporary()]
  const results: Recovered[][] = ways.map(() => [])
  const run = (what: 'write' | (typeof ways)[number]): string => {
    const given = what === 'empty' ? ['recover', empty_dir, '0'] : [what, data_dir, String(tasks)]
    return execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('children/recovery.ts', import.meta.url)), ...given],
      { encoding: 'utf8' },
    )
  }
  try {
    run('write')
    // Round -1 warms the disk's cache up and is not counted.
    for (let round = -1; round < rounds; round++)
      for (const [i, way] of ways.entries()) {
        const result = JSON.parse(run(way)) as Recovered
        if (round >= 0) results[i]?.push(result)
      }
  } finally {
    for (const dir of [data_dir, empty_dir]) rmSync(dir, { recursive: true, force: true })
  }
  const of = (i: number, field: keyof Recovered): number => median((results[i] ?? []).map((result) => result[field]))
  const recovery = (field: keyof Recovered): number => of(1, field) - of(2, field)
  // Round by round: what slows the machine down for a while slows down all three.
  const ratios = (results[0] ?? []).map((sql, i) => ((results[1]?.[i]?.seconds ?? NaN) - (results[2]?.[i]?.seconds ?? NaN)) / sql.seconds)
  const row = (way: string, figure: (field: keyof Recovered) => number): Section['rows'][number] => ({
    way,
    seconds: rounded(figure('seconds')),
    cpu_seconds: rounded(figure('cpu_seconds')),
  })
  return Promise.resolve({
    title: `Recovery of ${tasks} accepted tasks and their ${tasks / 4} sessions: what they add to the start of the daemon until all are queued again (with them, less with an empty directory), beside plain SQL that reads the same rows unparsed; medians of ${rounds} rounds in turn, and the geometric mean of their ratios`,
    rows: [
      row('plain SQL', (field) => of(0, field)),
      row('start with the tasks', (field) => of(1, field)),
      row('start with an empty directory', (field) => of(2, field)),
      row('difference', recovery),
    ],
    goals: [atMost('seconds, difference to plain SQL', geometricMean(ratios), 3)],
  })
}
