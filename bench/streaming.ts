import { load } from './load.ts'
import { atLeast, atMost, median, rounded, type Section } from './section.ts'
import { startServer, type BenchServer } from './server.ts'
import type { Latency } from './servers/feed.ts'
import type { RecordedStream } from './servers/raw-streams.ts'
import { bodyOf, openStreams } from './streams-client.ts'

/** What is measured, in turn. Where an engine cannot replay, its parts are in the journal before they go out. */
const lanes = [
  { name: 'daemon', server: 0, model: 'v1' },
  { name: 'raw', server: 1, model: undefined },
  { name: 'daemon, journaled', server: 0, model: 'recorded' },
] as const
type Lane = (typeof lanes)[number]
const journaled = 2
const rounds = 5
const timedRounds = 3
const streams = 1000
const tokens = 200
/** Tokens a second over all streams, for the latency. */
const rate = 5000

const key = 'X-API-Key: valid\r\n'

const body = (task_id: string, model: string): string =>
  JSON.stringify({
    task_id,
    session_id: task_id,
    workload: 'completion',
    model_ref: `mock:${model}`,
    engine: 'mock',
    ctx: 8192,
    priority: 'interactive',
    seed: 1,
    prompt: 'Tell me a story about a fox.',
    max_tokens: 4096,
    deadline_ms: 600_000,
  })

interface Run {
  /** From the first token to the last one read. */
  readonly seconds: number
  /** CPU time of the server meanwhile, microseconds. */
  readonly cpu: number
  /** From the engine's end of the tasks until every reader had its end, which is then on disk. */
  readonly end_seconds: number
  readonly latency: Latency
  readonly first: string
}

/** Opens the streams, lets the tokens flow until every reader has them, and ends the tasks. */
async function run(
  server: BenchServer,
  { server: index, model }: Lane,
  round: string,
  count: number,
  flow: { readonly tokens: number; readonly rate?: number },
): Promise<Run> {
  const id = (n: number): string => `${model ?? ''}-${round}-${n}`
  if (index === 0) {
    const { statuses } = await load(server.port, '/v1/tasks', key, (n) => body(id(n), model), count, 32)
    if (statuses.get(202) !== count) throw new Error(JSON.stringify([...statuses]))
  }
  const paths = Array.from({ length: count }, (_, n) => `/v1/tasks/${id(n)}/stream`)
  const readers = await openStreams(server.port, paths, key)
  const before = await server.cpuMicros()
  const started = performance.now()
  const flowing = server.ask({ flow })
  await readers.until(count * (1 + flow.tokens))
  const read = performance.now()
  const latency = (await flowing) as Latency
  const cpu = (await server.cpuMicros()) - before
  const ending = performance.now()
  await server.ask({})
  await readers.over
  return { seconds: (read - started) / 1000, cpu, end_seconds: (performance.now() - ending) / 1000, latency, first: bodyOf(readers.first) }
}

/** The daemon's own stream, for the raw writer to write. */
function recordedFrom(stream: string): RecordedStream {
  const frames = stream
    .split('\n\n')
    .slice(0, -1)
    .map((frame) => `${frame}\n\n`)
  const isToken = (frame: string): boolean => frame.includes('\nevent: token\n')
  const last = frames.findLastIndex(isToken)
  return { started: frames[0] ?? '', tokens: frames.filter(isToken), rest: frames.slice(last + 1).join('') }
}

/**
 * A thousand tasks run and a thousand readers read, each its own. The same bytes, frame by frame, from the daemon and from raw node:http. The
 * servers take turns, round by round; then the way of single tokens is timed under a moderate load.
 */
export async function benchStreaming(): Promise<Section> {
  const [daemon, raw] = await Promise.all([startServer('streams'), startServer('raw-streams')])
  const running = [daemon, raw]
  const serverOf = ({ server }: Lane): BenchServer => (server === 0 ? daemon : raw)
  const rates: number[][] = lanes.map(() => [])
  const costs: number[][] = lanes.map(() => [])
  const ends: number[][] = lanes.map(() => [])
  const latencies: Latency[][] = lanes.map(() => [])
  try {
    const recording = recordedFrom((await run(daemon, lanes[0], 'sample', 1, { tokens })).first)
    if (recording.tokens.length !== tokens) throw new Error(`recorded ${recording.tokens.length} tokens`)
    await raw.ask({ recorded: recording })
    // Round -1 warms up and is not counted.
    for (let round = -1; round < rounds; round++) {
      for (const [i, lane] of lanes.entries()) {
        const { seconds, cpu, end_seconds, first } = await run(serverOf(lane), lane, `r${round + 1}`, streams, { tokens })
        if (recordedFrom(first).tokens.join('') !== recording.tokens.join('')) throw new Error(`${lane.name}: other bytes`)
        if (round < 0) continue
        rates[i]?.push((streams * tokens) / seconds)
        costs[i]?.push(cpu / (streams * tokens))
        ends[i]?.push(streams / end_seconds)
      }
    }
    for (let round = 0; round < timedRounds; round++)
      for (const [i, lane] of lanes.slice(0, journaled).entries())
        latencies[i]?.push((await run(serverOf(lane), lane, `timed${round}`, streams, { tokens: (rate * 2) / streams, rate })).latency)
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
  const speed = (i: number): number => median(rates[i] ?? [])
  const latency = (i: number, share: keyof Latency): number => median((latencies[i] ?? []).map((one) => one[share]))
  return {
    title: `Streaming: ${streams} tasks, a reader each, ${tokens} tokens a task; medians of ${rounds} rounds in turn, beside raw node:http writing the same bytes frame by frame. From engine event to socket write at ${rate} tokens a second, medians of ${timedRounds} rounds`,
    rows: lanes.map(({ name }, i) => ({
      server: name,
      frames_per_second: Math.round(speed(i)),
      cpu_us_per_frame: rounded(median(costs[i] ?? [])),
      ends_per_second: Math.round(median(ends[i] ?? [])),
      // What waits for a commit is not written in the turn of its token.
      ...(i === journaled ? {} : { event_to_write_p50_us: rounded(latency(i, 'p50')), event_to_write_p99_us: rounded(latency(i, 'p99')) }),
    })),
    goals: [
      atLeast('frames a second, daemon to raw', speed(0) / speed(1), 0.7),
      atMost('event to write p99, daemon to raw', latency(0, 'p99') / latency(1, 'p99'), 2),
    ],
  }
}
