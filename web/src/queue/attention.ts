import { counted, listed, timeOfDay } from '../text.ts'
import type { FeedDaemon, FeedDevice, FeedPool } from '../live/types.ts'
import { soFar, wholeSlots } from './words.ts'

/** Something that somebody should look at. */
export interface Alarm {
  readonly level: 'bad' | 'warn'
  readonly sign: string
  /** What it is about, in bold. */
  readonly what: string
  /** The rest of the sentence. */
  readonly how: string
  /** When it is tried again, ms since 1970. */
  readonly again_at?: number
  /** What stands behind the time. */
  readonly after?: string
  /** The pool whose lane it is in, or the filter that shows it. */
  readonly pool?: string
  readonly filter?: string
}

/** A waiting task that will probably be late. */
export interface LateTask {
  readonly pool_id: string
  readonly key_name: string
}

const most = 5

/** What is wrong, worst first, at most five. @param at the daemon's time from which a pool's spans count, ms since 1970 @param all whether tasks of all keys are seen */
export function alarmsOf(
  pools: readonly FeedPool[],
  devices: readonly FeedDevice[],
  daemon: FeedDaemon | undefined,
  late: readonly LateTask[],
  { at, all }: { readonly at: (pool: FeedPool) => number; readonly all: boolean },
): Alarm[] {
  const alarms = [
    ...pools.flatMap((pool) => (pool.state === 'down' ? [poolDown(pool)] : pool.state === 'asleep' ? [] : replicasDown(pool, at(pool)))),
    ...devices.flatMap(({ index, fault }) =>
      fault === undefined ? [] : [{ level: 'bad' as const, sign: '✕', what: `GPU ${index} is in trouble`, how: `: ${fault}` }],
    ),
    ...(daemon?.stopping === true
      ? [{ level: 'bad' as const, sign: '◐', what: 'The daemon stops', how: ': it takes no new tasks any more.' }]
      : []),
    ...lateAlarm(late, all),
    ...pools.flatMap((pool) => (pool.state === 'draining' ? [draining(pool)] : [])),
    ...(daemon?.config.refused === undefined
      ? []
      : [{ level: 'warn' as const, sign: '▲', what: 'A newer configuration was refused', how: `: ${daemon.config.refused}` }]),
    ...pools.flatMap(({ pool_id, state, last_error }) =>
      last_error === undefined || state === 'down'
        ? []
        : [{ level: 'warn' as const, sign: '▲', what: `${pool_id} serves on after a failure`, how: `: ${last_error}`, pool: pool_id }],
    ),
  ]
  return alarms.sort((a, b) => Number(b.level === 'bad') - Number(a.level === 'bad')).slice(0, most)
}

function poolDown({ pool_id, last_error, waiting, replicas }: FeedPool): Alarm {
  const waits = waiting.interactive + waiting.batch
  const error = last_error ?? replicas.find((replica) => replica.last_error !== undefined)?.last_error
  return {
    ...{ level: 'bad', sign: '✕', what: `${pool_id} is down`, pool: pool_id },
    how: `${error === undefined ? '' : `: ${error}`}. ${waits === 0 ? 'Nothing waits for it' : `${counted(waits, 'task')} ${waits === 1 ? 'waits' : 'wait'} for it`}.`,
  }
}

function replicasDown(pool: FeedPool, at: number): Alarm[] {
  return pool.replicas
    .filter(({ state }) => state === 'down')
    .map(({ replica_id, last_error, restarts, restart_in_ms }) => ({
      ...{ level: 'bad', sign: '✕', what: `${pool.pool_id}/${replica_id} is down`, pool: pool.pool_id },
      how: `${last_error === undefined ? '' : `: ${last_error}`}.${restart_in_ms === undefined ? '' : ' Next restart in '}`,
      ...(restart_in_ms === undefined ? {} : { again_at: at + restart_in_ms }),
      after: `${restart_in_ms === undefined ? ' ' : `${soFar(restarts)}; `}${wholeSlots(pool) - pool.slots} of ${counted(wholeSlots(pool), 'slot')} of ${pool.pool_id} are missing.`,
    }))
}

function lateAlarm(late: readonly LateTask[], all: boolean): Alarm[] {
  if (late.length === 0) return []
  const by = (of: (task: LateTask) => string): [string, number][] => {
    const counts = new Map<string, number>()
    for (const task of late) counts.set(of(task), (counts.get(of(task)) ?? 0) + 1)
    return [...counts].sort(([, a], [, b]) => b - a)
  }
  const one = late.length === 1
  const pools = by(({ pool_id }) => pool_id).map(([pool, n]) => (one ? pool : `${n} in ${pool}`))
  const owners = by(({ key_name }) => key_name).map(([name, n]) => (one ? name : `${n} of ${name}`))
  return [
    {
      ...{ level: 'warn', sign: '▲', what: `${counted(late.length, 'waiting task')} will probably be late`, filter: 'late' },
      how: one
        ? ` in ${pools[0] ?? ''}${all ? `, of ${owners[0] ?? ''}` : ''}.`
        : `: ${listed(pools.slice(0, 4))}${all ? `; ${listed(owners.slice(0, 4))}` : ''}.`,
    },
  ]
}

function draining({ pool_id, running, waiting, drains_by_at }: FeedPool): Alarm {
  const waits = waiting.interactive + waiting.batch
  const left = `: it takes no new tasks, ${running} running and ${waits} waiting are worked off`
  return {
    ...{ level: 'warn', sign: '◐', what: `${pool_id} drains`, pool: pool_id },
    ...(drains_by_at === undefined
      ? { how: `${left}.` }
      : { how: `${left}; what is left fails in `, again_at: Date.parse(drains_by_at), after: '.' }),
  }
}

/** What a restart of the daemon would do now, in words without the figures that run. */
export function restartWords(restart: FeedDaemon['restart']): {
  readonly kept: string
  readonly on: string
  readonly rerun: string
  readonly lost: string
} {
  const { waiting_kept, running_continue, running_rerun, running_lost } = restart
  const are = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`
  return {
    kept: waiting_kept === 0 ? 'Nothing waits.' : `${waiting_kept} waiting ${waiting_kept === 1 ? 'is' : 'are'} kept.`,
    on: running_continue === 0 ? '' : are(running_continue, 'goes on', 'go on'),
    rerun: running_rerun === 0 ? '' : are(running_rerun, 'runs again', 'run again'),
    lost: running_lost === 0 ? '' : are(running_lost, 'is lost', 'are lost'),
  }
}

/** When the hour began, `13:32`. */
export const clockOf = (at: number): string => timeOfDay(at).slice(0, 5)
