import { Simulation, type Fate, type Job, type Policy } from './day.ts'
import { atLeast, atMost, median, rounded, type Section } from './section.ts'
import type { Priority } from '../src/domain/task.ts'

const slots = 4
const capacity = 512
const prefill_ms_per_token = 0.4
const decode_ms_per_token = 20
const max_tokens = 1024

/** Mean of what `jobOf` draws, ms: found by drawing. */
const service_ms = mean(Array.from({ length: 200_000 }, drawer(1)).map(({ prefill_ms, decode_ms }) => prefill_ms + decode_ms))

export function benchPrediction(): Promise<Section> {
  return Promise.resolve({ title: '', rows: [], goals: [] })
}

/** Mulberry32: uniform in (0, 1). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296
  }
}

function drawer(seed: number): () => { shape: Job['shape']; tokens_out: number; prefill_ms: number; decode_ms: number } {
  const random = generator(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  return () => {
    const prompt_tokens = Math.max(1, Math.round(800 * Math.exp(normal())))
    const tokens_out = Math.max(1, Math.min(max_tokens, Math.round(200 * Math.exp(0.8 * normal()))))
    const prefill_ms = prompt_tokens * prefill_ms_per_token * Math.exp(0.1 * normal())
    const decode_ms = (tokens_out - 1) * decode_ms_per_token * Math.exp(0.1 * normal())
    return { shape: { prompt_tokens, max_tokens }, tokens_out, prefill_ms, decode_ms }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

interface Load {
  readonly seed: number
  readonly hours: number
  /** Arrivals as a multiple of what the slots can do, at an hour of the day. */
  readonly factor: (hour: number) => number
  readonly interactive: number
  /** Deadlines, in mean service times, log-uniform. */
  readonly deadlines: Readonly<Record<Priority, readonly [number, number]>>
}

export function jobs({ seed, hours, factor, interactive, deadlines }: Load): Job[] {
  const random = generator(seed)
  const draw = drawer(seed + 1000)
  const all: Job[] = []
  for (let at = 0; ; ) {
    const now = factor(at / 3_600_000)
    at += (-Math.log(random()) * service_ms) / slots / now
    if (at > hours * 3_600_000) return all
    const priority = random() < interactive ? 'interactive' : 'batch'
    const [least, most] = deadlines[priority]
    all.push({ at, priority, deadline_ms: service_ms * least * (most / least) ** random(), burst: now > 1, ...draw() })
  }
}

const base = 0.7
const inBurst = (hour: number): boolean => (hour >= 9 && hour < 9.5) || (hour >= 15 && hour < 15.5)

export const run = (load: Job[], policy: Policy, p: number): readonly Fate[] => new Simulation(slots, capacity, policy, p).run(load)

export function quality(fates: readonly Fate[]): Record<string, number> {
  const started = fates.filter(({ started_at }) => started_at !== undefined)
  const errors = started.map(({ job, predicted_ms, started_at = 0 }) => Math.abs(predicted_ms - (started_at - job.at)) / Math.max(started_at - job.at, service_ms))
  const judged = fates.filter(({ fate }) => fate === 'served' || fate === 'expired')
  const met = (f: Fate): number => (f.fate === 'served' && (f.ended_at ?? Infinity) <= f.job.at + f.job.deadline_ms ? 1 : 0)
  const rate = mean(judged.map(met))
  const brier = mean(judged.map((f) => (f.chance - met(f)) ** 2))
  let ece = 0
  const cal: string[] = []
  for (let bin = 0; bin < 10; bin++) {
    const inside = judged.filter(({ chance }) => Math.min(9, Math.floor(chance * 10)) === bin)
    if (inside.length > 0) ece += (inside.length / judged.length) * Math.abs(mean(inside.map(({ chance }) => chance)) - mean(inside.map(met)))
    if (inside.length > 0) cal.push(`${bin}:${inside.length}:${mean(inside.map(({ chance }) => chance)).toFixed(2)}/${mean(inside.map(met)).toFixed(2)}`)
  }
  if (process.env.CAL) console.log(cal.join(' '))
  const count = (fate: Fate['fate']): number => fates.filter((f) => f.fate === fate).length
  return { tasks: fates.length, served: count('served'), refused: count('refused'), full: count('full'), expired: count('expired'), start_error: rounded(median(errors)), waited: rounded(mean(started.map(f=>+( (f.started_at??0)-f.job.at>1)))), bias: rounded(mean(started.map(({ job, predicted_ms, started_at = 0 }) => (predicted_ms - (started_at - job.at)) / Math.max(started_at - job.at, service_ms)))), medbias: rounded(median(started.map(({ job, predicted_ms, started_at = 0 }) => (predicted_ms - (started_at - job.at)) / Math.max(started_at - job.at, service_ms)))), met_rate: rounded(rate), ece: rounded(ece), brier_skill: rounded(1 - brier / (rate * (1 - rate))) }
}
export { base, inBurst, service_ms, atLeast, atMost }
