import type { components } from '../../sdk/src/index.ts'
import { poolRow } from '../commands/pools.ts'
import { shown, spanText, styled, table } from '../common/output.ts'

type Schemas = components['schemas']

/** What is known of the daemon, and where the person is in it. */
export interface Snapshot {
  readonly url: string
  readonly pools: readonly Schemas['PoolSummary'][]
  /** The pool whose queue is shown. */
  readonly pool_id: string | undefined
  readonly entries: readonly Schemas['QueueEntry'][]
  /** Whether there are entries after these. */
  readonly more: boolean
}

/** What the person has chosen. */
export interface Choice {
  /** An entry's index. */
  readonly selected: number
  /** How many pages of entries are above. */
  readonly page: number
  /** A question or what has come of it; the keys where there is none. */
  readonly message: string
}

/** What the keys do. */
export const keysText = 'up/down choose  left/right pool  n/p page  c cancel  d drain  r resume  q quit'

/** Lines of the screen that are not entries. */
export const linesAround = (pools: number): number => pools + 7

/** The whole screen, as lines. */
export function linesOf({ url, pools, pool_id, entries, more }: Snapshot, { selected, page, message }: Choice): string[] {
  const [head = '', ...rows] = table(['POOL', 'ENGINE', 'MODEL', 'STATE', 'BUSY', 'SLOTS', 'QUEUED'], pools.map(poolRow))
  const queue = table(
    ['PLACE', 'TASK', 'OWNER', 'PRIORITY', 'AGE', 'STARTS IN', 'ON TIME', 'REPLICA', 'WHY IT WAITS'],
    entries.map(entryRow),
  )
  const [queueHead = '', ...tasks] = queue
  const busy = pools.reduce((sum, pool) => sum + pool.slots_busy, 0)
  const waiting = pools.reduce((sum, pool) => sum + pool.queue_depth, 0)
  return [
    `${styled('bold', 'orchestratord')} ${url}  ${busy} running, ${waiting} waiting`,
    '',
    styled('bold', `  ${head}`),
    ...rows.map((row, i) => `${pools[i]?.pool_id === pool_id ? '>' : ' '} ${row}`),
    '',
    styled('bold', `  ${queueHead}`),
    ...tasks.map((row, i) => (i === selected ? styled('inverse', `> ${row}`) : `  ${row}`)),
    ...(entries.length === 0 ? ['  nobody runs or waits here'] : []),
    ...(more || page > 0 ? [`  page ${page + 1}${more ? ', n for the next' : ''}`] : ['']),
    message === '' ? styled('dim', keysText) : styled('yellow', message),
  ]
}

function entryRow(entry: Schemas['QueueEntry']): string[] {
  const { state, queue_position, task_id, owner, priority, age_ms, predicted_start_ms, on_time_probability, replica_id, waits } = entry
  return [
    state === 'running' ? 'runs' : String(queue_position ?? '-'),
    task_id ?? '(of another key)',
    owner ?? '-',
    priority,
    spanText(age_ms),
    predicted_start_ms === undefined ? '-' : spanText(predicted_start_ms),
    on_time_probability === undefined ? '-' : `${Math.round(on_time_probability * 100)} %`,
    replica_id ?? '-',
    waits?.text ?? '-',
  ].map(shown)
}
