import { Estimator, type Probe } from '../src/domain/prediction/estimator.ts'
import type { Priority } from '../src/domain/task.ts'
import { atLeast, atMost, median, rounded, type Section } from './section.ts'
import { Simulation, workOf, type Fate, type Policy } from './simulation.ts'
import { generator, jobsOf, lengths, mean_service_ms, type Job, type Lengths } from './workload.ts'

const slots = 4
const capacity = 256
const base = 0.7
const burst = 3
const inBurst = (hour: number): boolean => (hour >= 9 && hour < 9.5) || (hour >= 15 && hour < 15.5)
const batch_deadlines = [5, 100] as const

/** At twice the capacity: how many of the tasks are interactive, and their deadlines in mean service times. The first is held to the goal. */
const overloads = [
  { interactive: 0.4, deadlines: [2, 20] },
  { interactive: 0.4, deadlines: [1, 10] },
  { interactive: 0.5, deadlines: [2, 20] },
] as const

const run = (jobs: readonly Job[], policy: Policy): readonly Fate[] => new Simulation(slots, capacity, policy).run(jobs)

/**
 * A simulated day on the daemon's scheduler and estimator, and hours at twice the capacity: what is promised at acceptance beside what happens.
 */
export function benchPrediction(): Promise<Section> {
  const deadlines = { interactive: [0.5, 15], batch: [2, 100] } as const
  const day = run(
    jobsOf({ seed: 1, hours: 24, slots, factor: (hour) => (inBurst(hour) ? burst : base), interactive: 0.6, deadlines }),
    'daemon',
  )
  const of = (priority: Priority, bursting: boolean): Fate[] => day.filter(({ job }) => job.priority === priority && job.burst === bursting)
  const all = quality('all', day)
  const waited = quality(
    'all that were told to wait',
    day.filter(({ predicted_ms }) => predicted_ms > 0),
  )
  const compared = overloads.map(compare)
  const cold = colds.map(([name, start]) => coldStart(name, start))
  return Promise.resolve({
    title:
      `Prediction: a simulated day, ${slots} slots, queue of ${capacity}, mean service ${rounded(mean_service_ms / 1000)} s; arrivals Poisson at ${base} of the capacity with two half hours at ${burst} times the capacity, 60 % interactive; ` +
      'prompts log-normal (800 tokens, sigma 1), outputs log-normal (200, sigma 0.8) up to max_tokens 1,024; deadlines log-uniform, 0.5 to 15 mean service times interactive and 2 to 100 batch; start_error is the median of |predicted - actual| / max(actual, mean service). ' +
      'Then six hours at twice the capacity with the deadlines of the row (batch 5 to 100): interactive tasks that ended in time. ' +
      `Then ${cold_starts} cold starts of a pool ten times as slow, as a model of 70 billion parameters is (mean service ${rounded((mean_service_ms * slow) / 1000)} s), at twice the capacity, 40 % interactive: what the first ${cold_tasks} tasks of each were told, beside the same tasks with ${taught} seen before; late is the share of those told to wait that waited a mean service time longer than they were told, bias is how much more they were told than they waited, over all`,
    rows: [
      all,
      waited,
      quality('interactive, base load', of('interactive', false)),
      quality('interactive, burst', of('interactive', true)),
      quality('batch, base load', of('batch', false)),
      quality('batch, burst', of('batch', true)),
      ...compared.flatMap(({ rows }) => rows),
      ...cold.flat(),
    ],
    goals: [
      atMost('median error of the predicted start, all', all.start_error, 0.25),
      atMost('median error of the predicted start, those told to wait', waited.start_error, 0.25),
      atMost('expected calibration error', all.calibration_error, 0.05),
      atLeast('Brier skill', all.brier_skill, 0),
      atLeast('interactive deadlines met at twice the capacity, to the oracle', compared[0]?.of_oracle ?? NaN, 0.95),
      atMost(
        'median error of the predicted start, cold and told to wait, to that with many seen',
        coldError(cold, 0) / coldError(cold, 2),
        1.5,
      ),
    ],
  })
}

const slow = 10
const cold_starts = 100
const cold_tasks = 40
/** So many come in each, so that what waits is passed as it was told. */
const cold_jobs = 300
/** How many have ended on a pool that is not cold. */
const taught = 300

/** What its replica tells when it comes up: 24 tokens of an answer to a prompt of 5. */
const probe: Probe = { prompt_tokens: 5, tokens_out: 24, prefill_ms: 220, decode_ms: 23 * 20 * slow }
const colds = [
  ['cold, probed', { probe }],
  ['cold, not probed', {}],
  [`not cold, ${taught} seen`, { taught }],
] as const

const slowed = <T extends Lengths>(job: T): T => ({ ...job, prefill_ms: job.prefill_ms * slow, decode_ms: job.decode_ms * slow })

/** The first tasks of pools of which nothing is known, or as much as it says. */
function coldStart(name: string, start: { readonly probe?: Probe; readonly taught?: number }) {
  const fates = Array.from({ length: cold_starts }, (_, seed) => {
    const deadlines = { interactive: [1000, 1000], batch: [1000, 1000] } as const
    const jobs = jobsOf({ seed: seed + 100, hours: 1, slots, factor: () => 2, interactive: 0.4, deadlines }).slice(0, cold_jobs)
    const draw = lengths(generator(seed + 5_000_000))
    const estimator = new Estimator()
    estimator.probed(start.probe)
    for (let i = 0; i < (start.taught ?? 0); i++) estimator.observe(workOf(slowed(draw())))
    const simulation = new Simulation(slots, capacity, 'daemon', estimator)
    return simulation
      .run(jobs.map((job) => ({ ...slowed(job), at: job.at * slow, deadline_ms: job.deadline_ms * slow })))
      .slice(0, cold_tasks)
  }).flat()
  const of = (tasks: string, some: readonly Fate[]) => {
    const waits = some.flatMap(({ job, predicted_ms, started_at }) =>
      predicted_ms > 0 && started_at !== undefined ? [{ predicted_ms, actual_ms: started_at - job.at }] : [],
    )
    const service_ms = mean_service_ms * slow
    return {
      tasks,
      count: some.length,
      start_error: rounded(startError(waits, service_ms)),
      late: rounded(waits.filter(({ predicted_ms, actual_ms }) => actual_ms > predicted_ms + service_ms).length / waits.length),
      bias: rounded(mean(waits.map(({ predicted_ms }) => predicted_ms)) / mean(waits.map(({ actual_ms }) => actual_ms)) - 1),
    }
  }
  const interactive = fates.filter(({ job }) => job.priority === 'interactive')
  return [of(name, fates), of(`${name}: interactive`, interactive)]
}

const coldError = (cold: readonly (readonly { readonly start_error: number }[])[], index: number): number =>
  cold[index]?.[0]?.start_error ?? NaN

/** The median of how far starts were told off, over what they were, or a service time where that is more. @param service_ms the mean */
export const startError = (starts: readonly { readonly predicted_ms: number; readonly actual_ms: number }[], service_ms: number): number =>
  median(starts.map(({ predicted_ms, actual_ms }) => Math.abs(predicted_ms - actual_ms) / Math.max(actual_ms, service_ms)))

const inTime = ({ job, ended_at = Infinity }: Fate): boolean => ended_at <= job.at + job.deadline_ms

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** What was promised to the tasks that were accepted, beside what happened. */
function quality(tasks: string, fates: readonly Fate[]) {
  const started = fates.flatMap(({ job, predicted_ms, started_at }) =>
    started_at === undefined ? [] : [{ predicted_ms, actual_ms: started_at - job.at }],
  )
  const judged = fates
    .filter(({ fate }) => fate === 'served' || fate === 'expired')
    .map((fate) => ({ chance: fate.on_time_probability, met: inTime(fate) ? 1 : 0 }))
  const rate = mean(judged.map(({ met }) => met))
  const brier = mean(judged.map(({ chance, met }) => (chance - met) ** 2))
  const tenths = Array.from({ length: 10 }, (_, tenth) => judged.filter(({ chance }) => Math.min(9, Math.floor(chance * 10)) === tenth))
  // The weight of a tenth, times how far its mean chance is from its rate.
  const calibration_error = tenths.reduce(
    (sum, ones) => sum + Math.abs(ones.reduce((off, { chance, met }) => off + chance - met, 0)) / judged.length,
    0,
  )
  return {
    tasks,
    count: fates.length,
    refused: fates.filter(({ fate }) => fate === 'refused').length,
    expired: fates.filter(({ fate }) => fate === 'expired').length,
    start_error: rounded(startError(started, mean_service_ms)),
    in_time: rounded(rate),
    calibration_error: rounded(calibration_error),
    brier_skill: rounded(1 - brier / (rate * (1 - rate))),
  }
}

/** The same tasks under each policy. */
function compare({ interactive, deadlines }: (typeof overloads)[number]) {
  const jobs = jobsOf({
    seed: 7,
    hours: 6,
    slots,
    factor: () => 2,
    interactive,
    deadlines: { interactive: deadlines, batch: batch_deadlines },
  })
  const met = (policy: Policy): number => {
    const fates = run(jobs, policy).filter(({ job }) => job.priority === 'interactive')
    return fates.filter(inTime).length / fates.length
  }
  const oracle = met('oracle')
  const policies = (['daemon', 'oracle', 'fifo'] as const).map((policy) => [policy, policy === 'oracle' ? oracle : met(policy)] as const)
  const rows = policies.map(([policy, share]) => ({
    tasks: `twice the capacity, ${interactive * 100} % interactive, deadlines ${deadlines.join(' to ')}: ${policy}`,
    count: jobs.length,
    in_time: rounded(share),
    of_oracle: rounded(share / oracle),
  }))
  return { rows, of_oracle: (policies[0]?.[1] ?? NaN) / oracle }
}
