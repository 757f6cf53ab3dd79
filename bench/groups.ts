import { ByArbiter, Greedy } from './group-policies.ts'
import { GroupSimulation, type GroupFate, type GroupPolicy } from './group-simulation.ts'
import { groupLoads, type GroupLoad } from './group-workload.ts'
import { atMost, quantile, rounded, type Section } from './section.ts'

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

function rowOf({ name }: GroupLoad, { rule, swaps, fates, met }: Run, first: Run) {
  const waits = fates.map(({ job, started_at, ended_at = job.at + job.deadline_ms }) => (started_at ?? ended_at) - job.at)
  const batch = fates.filter(({ job }) => job.priority === 'batch')
  const interactive = fates.length - batch.length
  return {
    load: name,
    rule,
    tasks: fates.length,
    swaps,
    wait_mean_s: rounded(waits.reduce((sum, wait) => sum + wait, 0) / waits.length / 1000),
    wait_p99_s: rounded(quantile(waits, 0.99) / 1000),
    interactive_met: rounded(met.size / interactive),
    batch_met: batch.length === 0 ? '' : rounded(batch.filter(inTime).length / batch.length),
    missed_that_first_come_met: [...first.met].filter((id) => !met.has(id)).length,
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
      'lengths of tasks as in `prediction`; deadlines log-uniform, 1 to 10 min interactive, 5 to 60 min batch; a wait ends with the start or the deadline',
    rows: compared.flatMap(({ rows }) => rows),
    goals: compared.flatMap(({ load, first, ours, rows }) => [
      ...(load.contested ? [atMost(`${load.name}: swaps, to first-come`, ours.swaps / first.swaps, 0.5)] : []),
      atMost(`${load.name}: interactive deadlines missed that first-come met`, rows[0]?.missed_that_first_come_met ?? NaN, 0),
    ]),
  })
}
