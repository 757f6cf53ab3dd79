import { measureBursts, measureFlow, type Flow } from './relay/flow.ts'
import { startDoorLanes } from './relay/lanes.ts'
import { sendAll } from './relay/requests.ts'
import { atMost, geometricMean, median, rounded, type Section } from './section.ts'

/**
 * Each door is first, second and so on equally often: one pays for what the one before has left to the collector. A flood costs between 14 and 28 us a
 * token from one round to the next, at every door: it takes so many rounds until ratios of them differ by less than a tenth by chance.
 */
const rounds = 28
const streams = 50

/** What a token costs at each door of one daemon, in turn, beside the native stream. */
export async function benchDoors(): Promise<Section> {
  const [upstream, ...doors] = await startDoorLanes()
  const flows: DoorFlow[][] = doors.map(() => [])
  try {
    for (const door of doors) await sendAll(door.server.port, (n) => door.call('short', true, `w${n}`), 500, 50)
    // Round -1 warms up and is not counted.
    for (let round = -1; round < rounds; round++)
      for (let turn = 0; turn < doors.length; turn++) {
        const i = (round + 1 + turn) % doors.length
        const door = doors[i]
        if (door === undefined) continue
        const flow = await measureFlow(door, upstream, streams, `d${i}-${round + 1}`)
        const burst_cpu = await measureBursts(door, upstream, streams, `b${i}-${round + 1}`)
        if (round >= 0) flows[i]?.push({ ...flow, burst_cpu })
      }
  } finally {
    await Promise.all([upstream, doors[0]].map(({ server }) => server.stop()))
  }
  const middle = (i: number, figure: keyof DoorFlow): number => median((flows[i] ?? []).map((flow) => flow[figure]))
  return {
    title: `Doors: one daemon in front of an upstream, ${streams} streams at each of its doors in turn; CPU time of the daemon a token, in a flood of ${20_000 / streams} tokens a stream, in bursts of 16 tokens a stream, and at 5000 tokens a second over all; medians of ${rounds} rounds, and geometric means of the rounds' ratios`,
    rows: doors.map(({ name }, i) => ({
      door: name,
      cpu_us_per_token: rounded(middle(i, 'cpu')),
      to_native: rounded(middle(i, 'cpu') / middle(0, 'cpu')),
      burst_cpu_us_per_token: rounded(middle(i, 'burst_cpu')),
      burst_to_native: rounded(middle(i, 'burst_cpu') / middle(0, 'burst_cpu')),
      paced_cpu_us_per_token: rounded(middle(i, 'paced_cpu')),
      paced_to_native: rounded(middle(i, 'paced_cpu') / middle(0, 'paced_cpu')),
      flood_per_second: Math.round(middle(i, 'rate')),
      delay_p99_ms: rounded(middle(i, 'delay_p99')),
      frames_lost: Math.max(0, middle(i, 'lost')),
    })),
    goals: doors
      .slice(1)
      .flatMap(({ name }, i) => [
        atMost(`CPU of a token in a flood, ${name} to native`, ratio('cpu', flows[i + 1], flows[0]), 1.15),
        atMost(`CPU of a token in bursts, ${name} to native`, ratio('burst_cpu', flows[i + 1], flows[0]), 1.15),
      ]),
  }
}

interface DoorFlow extends Flow {
  /** @see measureBursts */
  readonly burst_cpu: number
}

/** The geometric mean of the rounds' ratios, each beside its own native one as the machine's speed drifts. */
const ratio = (figure: 'cpu' | 'burst_cpu', ours: readonly DoorFlow[] = [], native: readonly DoorFlow[] = []): number =>
  geometricMean(ours.map((flow, round) => flow[figure] / (native[round]?.[figure] ?? NaN)))
