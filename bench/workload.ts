import type { WorkShape } from '../src/domain/prediction/work.ts'
import type { Priority } from '../src/domain/task.ts'

/** A task of the simulation, with the lengths that only the simulation knows. */
export interface Job {
  /** When it comes, ms of simulated time. */
  readonly at: number
  readonly priority: Priority
  readonly deadline_ms: number
  readonly shape: WorkShape
  readonly tokens_out: number
  readonly prefill_ms: number
  readonly decode_ms: number
  /** Comes while more comes than can be done. */
  readonly burst: boolean
}

/** How tasks come. */
export interface Load {
  readonly seed: number
  readonly hours: number
  readonly slots: number
  /** Work that comes, as a multiple of what the slots can do. */
  readonly factor: (hour: number) => number
  /** Share of the tasks that is interactive. */
  readonly interactive: number
  /** Shortest and longest deadline in mean service times; log-uniform between them. */
  readonly deadlines: Readonly<Record<Priority, readonly [number, number]>>
}

export type Lengths = Pick<Job, 'shape' | 'tokens_out' | 'prefill_ms' | 'decode_ms'>

const prefill_ms_per_token = 0.4
const decode_ms_per_token = 20
const max_tokens = 1024
/** Deviation of the logarithm of a task's rates. */
const noise = 0.1

export const serviceOf = (job: Lengths): number => job.prefill_ms + job.decode_ms

/** Mean service time of the lengths that are drawn, ms; by drawing many. */
export const mean_service_ms = ((): number => {
  const draw = lengths(generator(1))
  const draws = 200_000
  let sum = 0
  for (let i = 0; i < draws; i++) sum += serviceOf(draw())
  return sum / draws
})()

/** Poisson arrivals over a time, in order. */
export function jobsOf({ seed, hours, slots, factor, interactive, deadlines }: Load): Job[] {
  const random = generator(seed)
  const draw = lengths(generator(seed + 1_000_000))
  const jobs: Job[] = []
  for (let at = 0; ;) {
    const now = factor(at / 3_600_000)
    at += (-Math.log(random()) * mean_service_ms) / (slots * now)
    if (at > hours * 3_600_000) return jobs
    const priority = random() < interactive ? 'interactive' : 'batch'
    const [least, most] = deadlines[priority]
    jobs.push({ at, priority, deadline_ms: mean_service_ms * least * (most / least) ** random(), burst: now > 1, ...draw() })
  }
}

/** Prompts log-normal with median 800 and sigma 1, outputs with median 200 and sigma 0.8 up to max_tokens, in tokens. */
export function lengths(random: () => number): () => Lengths {
  // Box and Muller, 1958.
  const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  return () => {
    const prompt_tokens = Math.max(1, Math.round(800 * Math.exp(normal())))
    const tokens_out = Math.max(1, Math.min(max_tokens, Math.round(200 * Math.exp(0.8 * normal()))))
    const prefill_ms = prompt_tokens * prefill_ms_per_token * Math.exp(noise * normal())
    const decode_ms = (tokens_out - 1) * decode_ms_per_token * Math.exp(noise * normal())
    return { shape: { prompt_tokens, max_tokens }, tokens_out, prefill_ms, decode_ms }
  }
}

/** Uniform in (0, 1), the same for the same seed: mulberry32 (T. Ettinger, 2017). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}
