import { ByArbiter, Greedy } from './group-policies.ts'
import { GroupSimulation, type GroupFate, type GroupPolicy } from './group-simulation.ts'
import { groupLoads, type GroupLoad } from './group-workload.ts'
import { startError } from './prediction.ts'
import { atMost, quantile, rounded, type Section } from './section.ts'
import { mean_service_ms } from './workload.ts'

interface Run {
  readonly rule: string
  readonly swaps: number
  readonly fates: readonly GroupFate[]
  readonly met: ReadonlySet<string>
}

const inTime = ({ job, ended_at = Infinity }: GroupFate): boolean => ended_at <= job.at + job.deadline_ms

function run(rule: string, load: GroupLoad, policy: GroupPolicy): Run {
  const world = new GroupSimulation(load, policy)
  const fates = world.run()
  const interactive = fates.filter((fate) => fate.job.priority === 'interactive' && inTime(fate))
  return { rule, swaps: world.loads, fates, met: new Set(interactive.map(({ job }) => job.id)) }
}

/** What those were told whose model was not loaded, and how long they waited. */
function promises(fates: readonly GroupFate[]) {
  const told = fates.flatMap(({ job, told_ms, started_at }) =>
    told_ms === undefined || started_at === undefined ? [] : [{ predicted_ms: told_ms, actual_ms: started_at - job.at }],
  )
  if (told.length === 0) return {}
  const late = told.filter(({ predicted_ms, actual_ms }) => actual_ms > predicted_ms + mean_service_ms).length
  return {
    told: told.length,
    told_mean_s: rounded(mean(told.map(({ predicted_ms }) => predicted_ms)) / 1000),
    waited_mean_s: rounded(mean(told.map(({ actual_ms }) => actual_ms)) / 1000),
    start_error: rounded(startError(told, mean_service_ms)),
    late: rounded(late / told.length),
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function rowOf({ name }: GroupLoad, { rule, swaps, fates, met }: Run, first: Run) {
  const waits = fates.map(({ job, started_at, ended_at = job.at + job.deadline_ms }) => (started_at ?? ended_at) - job.at)
  const batch = fates.filter(({ job }) => job.priority === 'batch')
  const interactive = fates.length - batch.length
  return {
    load: name,
    rule,
    tasks: fates.length,
    swaps,
    wait_mean_s: rounded(mean(waits) / 1000),
    wait_p99_s: rounded(quantile(waits, 0.99) / 1000),
    interactive_met: rounded(met.size / interactive),
    batch_met: batch.length === 0 ? '' : rounded(batch.filter(inTime).length / batch.length),
    missed_that_first_come_met: [...first.met].filter((id) => !met.has(id)).length,
    ...promises(fates),
  }
}

const seed = 1

/** Groups on a simulated clock, by the daemon's arbiter and by the rules of others. */
export function benchGroups(): Promise<Section> {
  const compared = groupLoads(seed).map((load) => {
    const first = run('first-come', load, new Greedy('first-come'))
    const ours = run('arbiter', load, new ByArbiter({ loaded: load.loaded }))
    const lru = run('least-recently-used', load, new Greedy('least-recently-used'))
    return { load, first, ours, rows: [ours, first, lru].map((one) => rowOf(load, one, first)) }
  })
  return Promise.resolve({
    title:
      'Groups: six simulated hours of each load on the daemon’s arbiter, scheduler and estimator, beside first-come swapping (llama-swap’s rule) and least-recently-used (a model in use is not put out); two slots a pool, a load of 8 s and an unload of 1 s, `max_hold_ms` 60,000; ' +
      'lengths of tasks as in `prediction`; deadlines log-uniform, 1 to 10 min interactive, 5 to 60 min batch; a wait ends with the start or the deadline; told are the tasks whose model was not loaded when they came, with start_error and late as in `prediction`',
    rows: compared.flatMap(({ rows }) => rows),
    goals: compared.flatMap(({ load, first, ours, rows }) => [
      ...(load.contested ? [atMost(`${load.name}: swaps, to first-come`, ours.swaps / first.swaps, 0.5)] : []),
      atMost(`${load.name}: interactive deadlines missed that first-come met`, rows[0]?.missed_that_first_come_met ?? NaN, 0),
      atMost(`${load.name}: median error of the start that was told where the model was not loaded`, rows[0]?.start_error ?? NaN, 0.3),
    ]),
  })
}
