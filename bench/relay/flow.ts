import { setTimeout } from 'node:timers/promises'
import { quantile } from '../section.ts'
import type { UpstreamCommand } from '../servers/upstream.ts'
import type { Lane } from './lanes.ts'
import { connected, requestOf } from './requests.ts'
import { stamp } from './stamp.ts'
import { RelayedStreams } from './streams.ts'

const flood = 60
/** Frames a second over all streams. */
const rate = 5000
const seconds = 2

/** What streams that flow cost a server. */
export interface Flow {
  /** CPU time a frame of the flood, microseconds. */
  readonly cpu: number
  /** CPU time a frame at the given rate, microseconds. */
  readonly paced_cpu: number
  /** Frames a second in the flood. */
  readonly rate: number
  /** From the upstream's write to the client, ms. */
  readonly delay_p50: number
  readonly delay_p99: number
  /** MiB while all are open, after the flood. */
  readonly rss: number
  /** Frames that never came. */
  readonly lost: number
}

const tell = (upstream: Lane, command: UpstreamCommand): Promise<object> => upstream.server.ask(command)

/** Opens streams on a lane and waits for the first token of each. */
async function open(lane: Lane, upstream: Lane, count: number, ids: string): Promise<RelayedStreams> {
  await tell(upstream, { hold: true, left: true })
  const calls = Array.from({ length: count }, (_, n) => lane.call('short', true, `${ids}-${n}`))
  const streams = await RelayedStreams.open(lane.server.port, calls, lane.mark)
  await streams.until(count * lane.begin)
  return streams
}

async function end(upstream: Lane, streams: RelayedStreams): Promise<void> {
  await tell(upstream, { hold: false, end: true })
  await streams.over()
}

/** A flood over so many streams, then frames at a rate that leaves room. */
export async function measureFlow(lane: Lane, upstream: Lane, count: number, ids: string): Promise<Flow> {
  const { server, begin } = lane
  const streams = await open(lane, upstream, count, ids)
  const frames = Math.max(flood, 20_000 / count)
  const before = await server.cpuMicros()
  const begun = performance.now()
  const flooded = tell(upstream, { flow: { tokens: frames } })
  await streams.until(count * (begin + frames))
  const took = performance.now() - begun
  const came = streams.frames - count * begin
  await flooded
  const flooded_cpu = await server.cpuMicros()
  const rss = await server.rssMib()
  const paced = (rate * seconds) / count
  const paced_before = await server.cpuMicros()
  const pacing = tell(upstream, { flow: { tokens: paced, rate } })
  await streams.until(count * (begin + frames + paced))
  await pacing
  const paced_cpu = ((await server.cpuMicros()) - paced_before) / (count * paced)
  const lost = count * (begin + frames + paced) - streams.frames
  // The last events of some doors say the whole text again, and with it every stamp.
  const { delays } = streams
  streams.delays = []
  await end(upstream, streams)
  return {
    ...{ cpu: (flooded_cpu - before) / came, paced_cpu, rate: (came * 1000) / took, rss, lost },
    delay_p50: quantile(delays, 0.5) / 1000,
    delay_p99: quantile(delays, 0.99) / 1000,
  }
}

const bursts = 25
const burst = 16

/**
 * CPU time a frame, microseconds, where every stream gets its frames in pieces of 16, the next one when all have come: in a flood a server that
 * falls behind is given more at once, which costs it less a frame, so that it depends on the machine's other work what a frame costs.
 */
export async function measureBursts(lane: Lane, upstream: Lane, count: number, ids: string): Promise<number> {
  const { server, begin } = lane
  const streams = await open(lane, upstream, count, ids)
  const before = await server.cpuMicros()
  for (let sent = 1; sent <= bursts; sent++) {
    await tell(upstream, { burst })
    await streams.until(count * (begin + sent * burst))
  }
  const cpu = (await server.cpuMicros()) - before
  const came = streams.frames - count * begin
  await end(upstream, streams)
  return cpu / came
}

/** What happens when half of the readers want no more, all at once. */
export interface Leaving {
  /** Generations that were aborted at the upstream. */
  readonly aborted: number
  /** From the client's close, or its cancel, to the close at the upstream, ms. */
  readonly abort_p50: number
  readonly abort_last: number
  /** Streams of the others that came to their end. */
  readonly others: number
}

const leavers = 50

/** A hundred streams flow, and half of the readers leave; where leaving is no cancel they cancel, each on an open connection of its own. */
export async function measureLeaving(lane: Lane, upstream: Lane, ids: string): Promise<Leaving> {
  const count = 2 * leavers
  const streams = await open(lane, upstream, count, ids)
  const { cancel, server } = lane
  const sockets = cancel === undefined ? [] : await Promise.all(Array.from({ length: leavers }, () => connected(server.port)))
  const pacing = tell(upstream, { flow: { tokens: 40, rate: 2000 } })
  await setTimeout(500)
  const left_at = stamp()
  if (cancel === undefined) streams.leave(leavers)
  else sockets.forEach((socket, n) => socket.write(requestOf(cancel(`${ids}-${n}`))))
  await pacing
  const { left } = (await tell(upstream, { left: true })) as { readonly left: readonly number[] }
  await end(upstream, streams)
  for (const socket of sockets) socket.destroy()
  const took = left.map((at) => (at - left_at) / 1000)
  const others = streams.whole - (cancel === undefined ? 0 : leavers)
  return { aborted: left.length, abort_p50: quantile(took, 0.5), abort_last: Math.max(...took), others }
}
