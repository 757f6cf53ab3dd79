import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { atLeast, median, rounded, type Section } from './section.ts'

/** What one child measured. */
export interface Cycles {
  readonly cycles_per_second: number
  /** What the queue adds to the tasks themselves, heap and array buffers. */
  readonly bytes_per_task: number
}

const sizes = [1000, 100_000, 1_000_000]
const rows = ['scheduler', 'scheduler, many canceled', 'scheduler, drop-lru', 'two arrays', 'binary heap']
const rounds = 3
const cycles = 2_000_000

/**
 * Cycles of a queue that stays as long as it is: a newcomer is admitted, confirmed and told its place and the work ahead, and the task
 * whose turn it is goes out. Counted in CPU time of the process, without what making the tasks costs. Each measurement has a process of
 * its own, and they take turns.
 */
export function benchScheduler(): Promise<Section> {
  const results = rows.map(() => sizes.map((): Cycles[] => []))
  for (let round = 0; round < rounds; round++)
    for (const [i, row] of rows.entries()) for (const [j, size] of sizes.entries()) results[i]?.[j]?.push(measure(row, size))
  const rate = (i: number, j: number): number => median((results[i]?.[j] ?? []).map(({ cycles_per_second }) => cycles_per_second))
  const bytes = (i: number): number => median((results[i]?.[2] ?? []).map(({ bytes_per_task }) => bytes_per_task))
  return Promise.resolve({
    title: `Scheduler: cycles (admit, confirm, ahead, next) a second of CPU time with so many queued, of 1000 keys and both classes, each with a deadline; newcomers are made beforehand and that is not counted; medians of ${rounds} rounds in turn, beside two arrays and a binary heap of the same tasks, which know no place, deadline or cancel`,
    rows: rows.map((queue, i) => ({
      queue,
      '1 thousand': rounded(rate(i, 0)),
      '100 thousand': rounded(rate(i, 1)),
      '1 million': rounded(rate(i, 2)),
      'last to first': rounded(rate(i, 2) / rate(i, 0)),
      bytes_per_task: Math.round(bytes(i)),
    })),
    goals: [
      atLeast('cycles a second at 1 million, to those at 1 thousand', rate(0, 2) / rate(0, 0), 0.7),
      atLeast('cycles a second at 1 million', rate(0, 2), 1_000_000),
    ],
  })
}

function measure(row: string, size: number): Cycles {
  const child = fileURLToPath(new URL('children/scheduler.ts', import.meta.url))
  return JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', child, row, String(size), String(cycles)], { encoding: 'utf8' }),
  ) as Cycles
}
