import type { Priority } from '../src/domain/task.ts'
import { generator, lengths, type Lengths } from './workload.ts'

/** A task for one of the pools of a group, with what only the simulation knows. */
export interface GroupJob extends Lengths {
  readonly id: string
  readonly pool: number
  /** When it comes, ms of simulated time, or after the end of the one before. */
  readonly at: number
  readonly priority: Priority
  readonly deadline_ms: number
  /** What comes after it has ended. Its lengths and pauses are the same whenever that is. */
  readonly next?: () => GroupJob
}

/** A group and the tasks that come to it. */
export interface GroupLoad {
  readonly name: string
  readonly pools: number
  readonly loaded: number
  readonly slots: number
  readonly load_ms: number
  readonly unload_ms: number
  readonly jobs: readonly GroupJob[]
  /** So much is asked of each model that swapping for each task is the trouble: the goal for swaps holds. */
  readonly contested: boolean
}

const hour = 3_600_000
/** Shortest and longest deadline of interactive tasks, ms. */
const patience = [60_000, 600_000] as const
const group = { pools: 2, loaded: 1, slots: 2, load_ms: 8000, unload_ms: 1000, contested: true } as const

interface Arrivals {
  readonly pool: number
  readonly seed: number
  readonly priority: Priority
  /** Shortest and longest deadline, ms; log-uniform between them. */
  readonly deadline: readonly [number, number]
  /** Times of arrival, ms, in order. */
  readonly at: Iterable<number>
}

function* jobs({ pool, seed, priority, deadline: [least, most], at }: Arrivals): Generator<GroupJob> {
  const random = generator(seed)
  const draw = lengths(generator(seed + 1_000_000))
  let n = 0
  for (const time of at) {
    const deadline_ms = least * (most / least) ** random()
    yield { id: `${pool}.${seed}.${n++}`, pool, at: time, priority, deadline_ms, ...draw() }
  }
}

/** Poisson arrivals, one in `gap_ms`; of those out of a burst only some. @param kept share of those at a time that come */
function* poisson(seed: number, hours: number, gap_ms: number, kept: (at: number) => number = () => 1): Generator<number> {
  const random = generator(seed + 7)
  for (let at = -Math.log(random()) * gap_ms; at < hours * hour; at += -Math.log(random()) * gap_ms) if (random() < kept(at)) yield at
}

const inOrder = (...all: Iterable<GroupJob>[]): GroupJob[] => all.flatMap((one) => [...one]).sort((a, b) => a.at - b.at)

/** Conversations of an agent: it asks, thinks, and asks again when the answer is there; then it rests. */
function agent(pool: number, seed: number, hours: number): GroupJob {
  const random = generator(seed)
  const draw = lengths(generator(seed + 1_000_000))
  const [least, most] = patience
  const turn = (n: number): GroupJob => {
    const pause_ms = -Math.log(random()) * (n % 12 === 0 ? 60_000 : 4000)
    const deadline_ms = least * (most / least) ** random()
    const next = n < hours * 120 ? { next: (): GroupJob => turn(n + 1) } : {}
    return { id: `${pool}.${seed}.${n}`, pool, at: pause_ms, priority: 'interactive', deadline_ms, ...draw(), ...next }
  }
  return turn(0)
}

/** The loads of the bench. */
export function groupLoads(seed: number, hours = 6): GroupLoad[] {
  const loose = [300_000, 3_600_000] as const
  const interactive = { priority: 'interactive', deadline: patience } as const
  const batch = { priority: 'batch', deadline: loose } as const
  const even = (pool: number, one: number, gap_ms: number): Iterable<GroupJob> =>
    jobs({ pool, seed: one, ...interactive, at: poisson(one, hours, gap_ms) })
  const bursts = (at: number): number => (at % (hour / 2) < hour / 10 ? 1 : 1 / 150)
  return [
    {
      name: 'two agents alternate',
      ...group,
      jobs: inOrder([agent(0, seed + 1, hours)], [agent(1, seed + 2, hours)]),
    },
    {
      name: 'bursts',
      ...group,
      jobs: inOrder(
        jobs({ pool: 0, seed: seed + 3, ...interactive, at: poisson(seed + 3, hours, 8000, bursts) }),
        jobs({ pool: 1, seed: seed + 4, ...interactive, at: poisson(seed + 4, hours, 8000, (at) => bursts(at + hour / 20)) }),
      ),
    },
    { name: 'one hot, one cold', ...group, jobs: inOrder(even(0, seed + 5, 8000), even(1, seed + 6, 20_000)) },
    {
      name: 'batch beside interactive',
      ...group,
      jobs: inOrder(even(0, seed + 7, 20_000), jobs({ pool: 1, seed: seed + 8, ...batch, at: poisson(seed + 8, hours, 10_000) })),
    },
    { name: 'seldom', ...group, contested: false, jobs: inOrder(even(0, seed + 9, 180_000), even(1, seed + 10, 240_000)) },
    {
      name: 'three models, two loaded',
      ...group,
      pools: 3,
      loaded: 2,
      contested: false,
      jobs: inOrder(even(0, seed + 11, 12_000), even(1, seed + 12, 20_000), even(2, seed + 13, 30_000)),
    },
  ]
}
