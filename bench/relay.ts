import { startLanes, type Lane, type PromptSize } from './relay/lanes.ts'
import { measureFlow, measureLeaving, type Flow, type Leaving } from './relay/flow.ts'
import { sendAll, type RelayCall, type RelayTimes } from './relay/requests.ts'
import { atMost, median, quantile, rounded, type Goal, type Section } from './section.ts'

const rounds = 3
/** Beside the daemon's own rows, the rows that ratios are taken of. */
const direct = 0
const bare = 1
const daemon = 3

interface Case {
  readonly stream: boolean
  readonly prompt: PromptSize
  readonly concurrent: number
}

/** @param all every combination; else the long prompt and the answer in one piece are measured once */
function casesOf(all: boolean): Case[] {
  const cases = [1, 50, 200, 1000].flatMap((concurrent) =>
    [true, false].flatMap((stream) => (['short', '64 KiB'] as const).map((prompt) => ({ stream, prompt, concurrent }))),
  )
  if (all) return cases
  return cases.filter(({ stream, prompt, concurrent }) => (prompt === 'short' ? stream || concurrent === 50 : stream && concurrent === 50))
}

const requestsOf = ({ prompt, concurrent }: Case): number => Math.max(concurrent === 1 ? 100 : prompt === 'short' ? 600 : 300, concurrent)

/** What the rounds of one case gave on one lane. */
interface Cost {
  readonly first_p50: number
  readonly first_p99: number
  readonly whole_p50: number
  readonly whole_p99: number
  readonly cpu: number
}

let asked = 0

/** Who asks the chat door the same again while it runs may be given what runs: each asks something else. */
const callsOf = (call: Lane['call'], { prompt, stream }: Pick<Case, 'prompt' | 'stream'>): (() => RelayCall) => {
  const same = call(prompt, stream)
  return stream ? () => same : () => call(prompt, stream, String(asked++))
}

async function measureOnce({ server, call }: Lane, test: Case): Promise<Cost> {
  const total = requestsOf(test)
  const before = await server.cpuMicros()
  const times: RelayTimes = await sendAll(server.port, callsOf(call, test), total, test.concurrent)
  const cpu = ((await server.cpuMicros()) - before) / total
  const [first, whole] = [times.first, times.whole]
  return { cpu, first_p50: median(first), first_p99: quantile(first, 0.99), whole_p50: median(whole), whole_p99: quantile(whole, 0.99) }
}

/** Medians over the rounds, figure by figure. */
const middle = <T extends object>(of: readonly T[]): T => {
  const [first] = of
  if (first === undefined) throw new Error('nothing was measured')
  const keys = Object.keys(first) as (keyof T)[]
  return Object.fromEntries(keys.map((key) => [key, median(of.map((one) => Number(one[key])))])) as T
}

/** Rounds in turn over all lanes, so that a machine whose speed drifts is fair to them. */
async function inTurn<T extends object>(
  lanes: readonly Lane[],
  times: number,
  measure: (lane: Lane, round: number) => Promise<T>,
): Promise<T[]> {
  const seen: T[][] = lanes.map(() => [])
  for (let round = 0; round < times; round++) for (const [i, lane] of lanes.entries()) seen[i]?.push(await measure(lane, round))
  return seen.map(middle)
}

/**
 * Requests and streams through the daemon, a bare relay and Portkey's gateway to an upstream that answers at once.
 * @param all see `casesOf`
 */
export async function benchRelay(all: boolean): Promise<Section> {
  const lanes = await startLanes()
  const [upstream] = lanes
  const rows: Section['rows'][number][] = []
  const goals: Goal[] = []
  try {
    // Gateways run for days: what a request costs is what it costs when their code has been compiled.
    for (const stream of [true, false])
      for (const lane of lanes) await sendAll(lane.server.port, callsOf(lane.call, { prompt: 'short', stream }), stream ? 8000 : 4000, 50)
    for (const test of casesOf(all)) {
      const costs = await inTurn(lanes, rounds, (lane) => measureOnce(lane, test))
      rows.push(...costRows(lanes, test, costs))
      if (test.stream && test.prompt === 'short') goals.push(...costGoals(test, costs))
    }
    for (const concurrent of [50, 200, 1000]) {
      const flows = await inTurn(lanes, rounds, (lane, round) => measureFlow(lane, upstream, concurrent, `f${concurrent}-${round}`))
      rows.push(...flowRows(lanes, concurrent, flows))
      goals.push(...flowGoals(concurrent, flows))
    }
    const leavings = await inTurn(lanes, rounds, (lane, round) => measureLeaving(lane, upstream, `l${round}`))
    rows.push(...leavingRows(lanes, leavings))
    goals.push(...leavingGoals(leavings))
  } finally {
    await Promise.all(lanes.map(({ server }) => server.stop()))
  }
  return {
    title: `Relay: an OpenAI-compatible upstream that answers at once with one token, in a process of its own, as are a bare node:http relay that parses and writes each frame anew, Portkey's gateway and the daemon (POST /v1/tasks with Accept: text/event-stream, durable on disk; an answer in one piece comes by its chat door). Added is beside the same request to the upstream itself; to_bare is CPU time to that of the bare relay; a flood is at least 60 frames a stream as fast as they are taken, the delay of a frame is from the upstream's write to the client at 5000 frames a second over all; medians of ${rounds} rounds in turn`,
    rows,
    goals,
  }
}

function costRows(lanes: readonly Lane[], { stream, prompt, concurrent }: Case, costs: readonly Cost[]): Section['rows'] {
  const [base, least] = [costs[direct], costs[bare]]
  if (base === undefined || least === undefined) return []
  return costs.map((cost, i) => ({
    server: lanes[i]?.name ?? '',
    what: `${stream ? 'stream' : 'whole'}, ${prompt}`,
    concurrent,
    added_p50_ms: rounded(cost.whole_p50 - base.whole_p50),
    added_p99_ms: rounded(cost.whole_p99 - base.whole_p99),
    first_p50_ms: rounded(cost.first_p50),
    first_p99_ms: rounded(cost.first_p99),
    cpu_us: rounded(cost.cpu),
    to_bare: rounded(cost.cpu / least.cpu),
  }))
}

function flowRows(lanes: readonly Lane[], concurrent: number, flows: readonly Flow[]): Section['rows'] {
  return flows.map((flow, i) => ({
    server: lanes[i]?.name ?? '',
    what: 'frames',
    concurrent,
    cpu_us: rounded(flow.cpu),
    to_bare: rounded(flow.cpu / (flows[bare]?.cpu ?? NaN)),
    paced_cpu_us: rounded(flow.paced_cpu),
    flood_per_second: Math.round(flow.rate),
    delay_p50_ms: rounded(flow.delay_p50),
    delay_p99_ms: rounded(flow.delay_p99),
    frames_lost: Math.max(0, flow.lost),
    rss_mib: Math.round(flow.rss),
  }))
}

const leavingRows = (lanes: readonly Lane[], leavings: readonly Leaving[]): Section['rows'] =>
  leavings.map(({ aborted, abort_p50, abort_last, others }, i) => ({
    server: lanes[i]?.name ?? '',
    what: '50 of 100 leave',
    concurrent: 100,
    aborted,
    ...(aborted === 0 ? {} : { abort_p50_ms: rounded(abort_p50), abort_last_ms: rounded(abort_last) }),
    others_whole: others,
  }))

function costGoals({ concurrent }: Case, costs: readonly Cost[]): Goal[] {
  const [least, ours] = [costs[bare], costs[daemon]]
  if (least === undefined || ours === undefined) return []
  const at = `at ${concurrent} concurrent, daemon to bare relay`
  return [
    atMost(`CPU of a request ${at}`, ours.cpu / least.cpu, 3),
    atMost(`first token, median, ${at}`, ours.first_p50 / least.first_p50, 2),
  ]
}

function flowGoals(concurrent: number, flows: readonly Flow[]): Goal[] {
  const [least, ours] = [flows[bare], flows[daemon]]
  if (least === undefined || ours === undefined) return []
  if (concurrent === 200) return [atMost('delay of a frame p99 at 200 streams, ms', ours.delay_p99, 2)]
  if (concurrent !== 1000) return []
  return [
    atMost('CPU of a frame at 1000 streams, daemon to bare relay', ours.cpu / least.cpu, 1.5),
    atMost('delay of a frame p99 at 1000 streams, ms', ours.delay_p99, 15),
    atMost('memory at 1000 streams, MiB', ours.rss, 300),
  ]
}

function leavingGoals(leavings: readonly Leaving[]): Goal[] {
  const ours = leavings[daemon]
  return ours === undefined
    ? []
    : [atMost('generations not aborted of 50 that were left', 50 - ours.aborted, 0), atMost('last abort of 50, ms', ours.abort_last, 20)]
}
