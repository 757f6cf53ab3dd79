import { setTimeout as pause } from 'node:timers/promises'
import { load } from './load.ts'
import { atLeast, atMost, geometricMean, median, quantile, rounded, type Section } from './section.ts'
import { startOptions, startServer, type BenchServer } from './server.ts'
import { bodyOf, tasksMade } from './watched-task.ts'
import type { ViewersCommand } from './servers/viewers.ts'

const lanes = [0, 1, 20] as const
const rounds = 5
/** Rounds of one viewer that are not counted. */
const warming_rounds = 5
const waiting = 10_000
const steady_ms = 5000
/** Tasks admitted in each lane of each round: some more than have started meanwhile. */
const admitted = 1200

/** What one lane was in one round. */
interface Measured {
  /** CPU time that the daemon took, and what it gave meanwhile: on a machine that is full it gives less. */
  readonly cpu_s: number
  /** CPU time of the main thread for who watches, frames and writes included. */
  readonly feed_cpu_s: number
  readonly tokens: number
  readonly seconds: number
  readonly kib_per_s: number
  readonly gap_p50: number
  readonly gap_p99: number
  readonly per_second: number
}

interface Gaps {
  readonly p50: number
  readonly p99: number
  readonly feed_cpu_s: number
  readonly running: number
  readonly waiting: number
  readonly tokens: number
}

/** Admits tasks as fast as they are taken; of some keys. Returns how many a second. */
async function admit(server: BenchServer, count: number): Promise<number> {
  const { statuses, seconds } = await load(server.port, '/v1/tasks', `X-API-Key: k${tasksMade() % 4}\r\n`, () => bodyOf(8), count, 32)
  if (statuses.get(202) !== count) throw new Error(JSON.stringify([...statuses]))
  return count / seconds
}

async function measure(daemon: BenchServer, clients: BenchServer, viewers: number): Promise<Measured> {
  const command: ViewersCommand = { port: daemon.port, viewers }
  await clients.ask(command)
  // The snapshots are over by then.
  await pause(1500)
  await clients.ask(command)
  await daemon.ask({})
  const [cpu, began] = [await daemon.cpuMicros(), performance.now()]
  await pause(steady_ms)
  const seconds = (performance.now() - began) / 1000
  const used = ((await daemon.cpuMicros()) - cpu) / 1e6
  const { bytes } = (await clients.ask(command)) as { bytes: number }
  const gaps = (await daemon.ask({})) as Gaps
  // One of many does not read.
  const readers = viewers > 1 ? viewers - 1 : viewers
  const per_second = await admit(daemon, admitted)
  return {
    ...{ cpu_s: used, feed_cpu_s: gaps.feed_cpu_s, tokens: gaps.tokens, seconds },
    kib_per_s: readers === 0 ? 0 : bytes / 1024 / seconds / readers,
    gap_p50: gaps.p50,
    gap_p99: gaps.p99,
    per_second,
  }
}

/** What it costs that somebody watches: the same daemon under the same load without a viewer, with one and with twenty, in turn. */
export async function benchFeed(): Promise<Section> {
  const [daemon, clients] = await Promise.all([startServer('watched', { execArgv: startOptions() }), startServer('viewers')])
  const measured: Measured[][] = lanes.map(() => [])
  let state: Gaps
  try {
    await admit(daemon, waiting + 500)
    // A page is open for long: what it costs is what it does when its code has been compiled.
    for (let round = 0; round < warming_rounds; round++) await measure(daemon, clients, 1)
    for (let round = 0; round < rounds; round++)
      for (const [i, viewers] of lanes.entries()) measured[i]?.push(await measure(daemon, clients, viewers))
    state = (await daemon.ask({})) as Gaps
  } finally {
    await Promise.all([daemon.stop(), clients.stop()])
  }
  const of = (i: number, what: keyof Measured): number => median((measured[i] ?? []).map((one) => one[what]))
  /** What a lane was beside the one without a viewer: the geometric mean of the rounds. */
  const beside = (i: number, what: keyof Measured): number =>
    geometricMean((measured[i] ?? []).map((one, round) => one[what] / (measured[0]?.[round]?.[what] ?? NaN)))
  /** What the feed of a lane took of a core beyond what it takes without a viewer; round by round. */
  const feed = (i: number): number[] =>
    (measured[i] ?? []).map(({ feed_cpu_s, seconds }, round) => {
      const alone = measured[0]?.[round]
      return alone === undefined ? NaN : feed_cpu_s / seconds - alone.feed_cpu_s / alone.seconds
    })
  /** What all of a lane took beyond what its tokens take without a viewer, share of a core; round by round. */
  const more = (i: number): number =>
    median(
      (measured[i] ?? []).map(({ cpu_s, tokens, seconds }, round) => {
        const alone = measured[0]?.[round]
        return alone === undefined ? NaN : (cpu_s - (tokens * alone.cpu_s) / alone.tokens) / seconds
      }),
    )
  return {
    title: `Feed: ${state.running} tasks run at 60 tokens a second each in 8 pools and ${state.waiting} wait; the same daemon with so many viewers, of whom the last of 20 never reads; medians of ${rounds} rounds of ${steady_ms / 1000} s in turn, after half a minute with one viewer. Then ${admitted} tasks are admitted as fast as they are taken`,
    rows: lanes.map((viewers, i) => ({
      viewers,
      cpu_us_per_token: rounded(median((measured[i] ?? []).map(({ cpu_s, tokens }) => (cpu_s * 1e6) / tokens))),
      tokens_per_second: Math.round(median((measured[i] ?? []).map(({ tokens, seconds }) => tokens / seconds))),
      feed_cpu_share: rounded(median(feed(i))),
      feed_cpu_share_quartiles: [0.25, 0.75].map((share) => rounded(quantile(feed(i), share))).join(' to '),
      whole_cpu_share_more: rounded(more(i)),
      kib_per_second_a_viewer: rounded(of(i, 'kib_per_s')),
      token_gap_p50_ms: rounded(of(i, 'gap_p50')),
      token_gap_p99_ms: rounded(of(i, 'gap_p99')),
      admitted_per_second: Math.round(of(i, 'per_second')),
    })),
    goals: [
      atMost('CPU of one viewer, share of a core', median(feed(1)), 0.01),
      atMost('CPU of 20 viewers, share of a core', median(feed(2)), 0.05),
      atMost('KiB a second, of one viewer', of(1, 'kib_per_s'), 150),
      atLeast('gap between tokens p50, without to with 20', 1 / beside(2, 'gap_p50'), 0.95),
      atLeast('gap between tokens p99, without to with 20', 1 / beside(2, 'gap_p99'), 0.95),
      atLeast('admitted a second, with 20 to without', beside(2, 'per_second'), 0.95),
    ],
  }
}
