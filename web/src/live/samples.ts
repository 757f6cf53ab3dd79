import type { FeedSample, FeedSnapshot } from './types.ts'

/** What a pool did at each moment. */
export interface Series {
  readonly waiting: readonly number[]
  readonly running: readonly number[]
  readonly tokens_out: readonly number[]
  readonly first_token_median_ms: readonly (number | null)[]
  readonly first_token_p95_ms: readonly (number | null)[]
  readonly refused: readonly number[]
  readonly late: readonly number[]
}

/** The last hour, by pool. */
export interface Samples {
  readonly every_ms: number
  /** When the newest value was taken, ms since 1970; 0 where there is none. */
  readonly at: number
  readonly pools: ReadonlyMap<string, Series>
}

const kept = 720

/** The hour of a snapshot. */
export const samplesOf = ({ every_ms, at, pools }: FeedSnapshot['samples']): Samples => ({
  every_ms,
  at: at === undefined ? 0 : Date.parse(at),
  pools: new Map(pools.map((series) => [series.pool_id, series])),
})

/** The hour with a sample more. */
export function samplesWith(samples: Samples, { at, points }: FeedSample): Samples {
  const pools = new Map(samples.pools)
  for (const { pool_id, first_token_ms, ...point } of points) {
    const there = pools.get(pool_id)
    const add = <T>(list: readonly T[] | undefined, value: T): readonly T[] => [...(list ?? []).slice(1 - kept), value]
    pools.set(pool_id, {
      waiting: add(there?.waiting, point.waiting),
      running: add(there?.running, point.running),
      tokens_out: add(there?.tokens_out, point.tokens_out),
      first_token_median_ms: add(there?.first_token_median_ms, first_token_ms?.median ?? null),
      first_token_p95_ms: add(there?.first_token_p95_ms, first_token_ms?.p95 ?? null),
      refused: add(there?.refused, point.refused),
      late: add(there?.late, point.late),
    })
  }
  return { ...samples, at: Date.parse(at), pools }
}

/** One value a moment of all pools together, the newest last; shorter lists are filled with nothing at their beginning. */
export function summed(samples: Samples, of: (series: Series) => readonly number[]): number[] {
  const lists = [...samples.pools.values()].map(of)
  const length = Math.max(0, ...lists.map((list) => list.length))
  const sums = new Array<number>(length).fill(0)
  for (const list of lists) list.forEach((value, i) => (sums[length - list.length + i] = (sums[length - list.length + i] ?? 0) + value))
  return sums
}

/** One value a moment, the highest of all pools; null where none has one. */
export function highest(samples: Samples, of: (series: Series) => readonly (number | null)[]): (number | null)[] {
  const lists = [...samples.pools.values()].map(of)
  const length = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length }, (_, i) => {
    const values = lists.map((list) => list[i - length + list.length]).filter((value) => value != null)
    return values.length === 0 ? null : Math.max(...values)
  })
}
