import { batch, signal } from '@preact/signals'
import { setDaemonTime } from './clock.ts'
import { Row } from './row.ts'
import { samplesOf, samplesWith, type Samples } from './samples.ts'
import type {
  FeedChanges,
  FeedDaemon,
  FeedDevice,
  FeedEnded,
  FeedEvent,
  FeedKey,
  FeedOrder,
  FeedPool,
  FeedRow,
  FeedSnapshot,
  Task,
} from './types.ts'

/** Whose view it is. */
export interface Viewer {
  readonly role: FeedSnapshot['role']
  readonly key_name: string
}

const ended_kept = 200

/** Everything that the feed has told, as it is now. */
export const live = {
  viewer: signal<Viewer | undefined>(undefined),
  daemon: signal<FeedDaemon | undefined>(undefined),
  pools: signal<readonly FeedPool[]>([]),
  devices: signal<readonly FeedDevice[]>([]),
  keys: signal<readonly FeedKey[]>([]),
  running_total: signal(0),
  /** Every task in view. */
  rows: signal<readonly Row[]>([]),
  /** Who waits, by pool. */
  order: signal<ReadonlyMap<string, FeedOrder>>(new Map()),
  /** Who runs, by pool, by replica and slot. */
  running: signal<ReadonlyMap<string, readonly Row[]>>(new Map()),
  /** What did not complete, the newest first. */
  failed: signal<readonly FeedEnded[]>([]),
  samples: signal<Samples>({ every_ms: 5000, at: 0, pools: new Map() }),
}

const rows = new Map<number, Row>()
const times = new WeakMap<object, number>()

/** The daemon's time from which the spans in a pool, an order or the daemon's facts count, ms since 1970. */
export const toldAt = (thing: object): number => times.get(thing) ?? 0

/** A task in view by its handle. Whoever shows it looks at `order` or `running`, too, which change when rows come and go. */
export const rowAt = (h: number): Row | undefined => rows.get(h)

/** The task in view that has an id. */
export const rowOfTask = (task_id: string): Row | undefined => live.rows.value.find(({ facts }) => facts.peek().task_id === task_id)

/** The owner to name where a task of a key is asked for; the reader's own need none. */
export const ownerOf = (key_name: string): string | undefined => (key_name === live.viewer.value?.key_name ? undefined : key_name)

/** Takes an event of the feed in. What the contract of this page does not know is left out. */
export function take(event: FeedEvent): void {
  batch(() => {
    if (event.event === 'snapshot') takeSnapshot(event.data)
    else if (event.event === 'changes') takeChanges(event.data)
    else live.samples.value = samplesWith(live.samples.peek(), event.data)
  })
}

function takeSnapshot(snapshot: FeedSnapshot): void {
  const at = timeOf(snapshot.at)
  const { role, key_name } = snapshot
  for (const thing of [snapshot.daemon, ...snapshot.pools, ...snapshot.order]) times.set(thing, at)
  live.viewer.value = { role, key_name }
  live.daemon.value = snapshot.daemon
  live.pools.value = snapshot.pools
  live.devices.value = snapshot.devices
  live.keys.value = snapshot.keys
  live.running_total.value = snapshot.running_total
  rows.clear()
  setRows(snapshot.rows, at)
  live.order.value = new Map(snapshot.order.map((order) => [order.pool_id, order]))
  live.rows.value = [...rows.values()]
  live.running.value = running()
  live.samples.value = samplesOf(snapshot.samples)
}

function takeChanges(changes: FeedChanges): void {
  const at = timeOf(changes.at)
  for (const h of changes.gone ?? []) rows.delete(h)
  for (const thing of [changes.daemon ?? {}, ...(changes.pools ?? []), ...(changes.order ?? [])]) times.set(thing, at)
  setRows(changes.rows ?? [], at)
  for (const state of changes.states ?? []) rows.get(state.h)?.become(state, at)
  for (const [h = -1, out = 0, rate] of changes.progress ?? []) {
    const row = rows.get(h)
    if (row === undefined) continue
    row.out.value = out
    if (rate !== undefined) row.rate.value = rate
  }
  for (const [h = -1, start_ms = 0, on_time] of changes.predicted ?? []) {
    const row = rows.get(h)
    if (row !== undefined) row.start.value = { at: at + start_ms, on_time }
  }
  if (changes.pools !== undefined) live.pools.value = merged(live.pools.peek(), changes.pools, 'pool_id')
  if (changes.keys !== undefined) live.keys.value = merged(live.keys.peek(), changes.keys, 'key_name')
  if (changes.devices !== undefined) live.devices.value = changes.devices
  if (changes.daemon !== undefined) live.daemon.value = changes.daemon
  if (changes.running_total !== undefined) live.running_total.value = changes.running_total
  if (changes.ended !== undefined) addFailed(changes.ended.filter(({ state }) => state !== 'completed').reverse())
  const touched = changes.rows !== undefined || changes.states !== undefined || changes.gone !== undefined
  if (touched) live.rows.value = [...rows.values()]
  if (touched || changes.pools !== undefined) live.running.value = running()
  if (touched || changes.order !== undefined) {
    const order = new Map(live.order.peek())
    for (const one of changes.order ?? []) order.set(one.pool_id, one)
    live.order.value = order
  }
}

/** Adds tasks that did not complete, the newest first; one that is there stays as it is. */
export function addFailed(ended: readonly FeedEnded[]): void {
  const there = live.failed.peek()
  const known = new Set(there.map(({ task_id }) => task_id))
  const more = ended.filter(({ task_id }) => !known.has(task_id))
  if (more.length > 0) live.failed.value = [...more, ...there].sort((a, b) => (a.finished_at < b.finished_at ? 1 : -1)).slice(0, ended_kept)
}

/** A task of a list as the feed would have told its end; nothing where it has not ended. */
export function endedOf({
  task_id,
  session_id,
  owner,
  pool_id,
  priority,
  model_ref,
  state,
  accepted_at,
  finished_at,
  attempts,
  error,
  artifact_id,
}: Task): FeedEnded[] {
  if (finished_at === undefined || state === 'queued' || state === 'running') return []
  const key_name = owner ?? live.viewer.peek()?.key_name ?? ''
  const { code, message, retriable } = error ?? {}
  return [
    {
      ...{
        h: 0,
        task_id,
        session_id,
        key_name,
        pool_id,
        priority,
        model_ref,
        state,
        accepted_at,
        finished_at,
        attempts: attempts?.length ?? 1,
      },
      ...(code === undefined ? {} : { code }),
      ...(message === undefined ? {} : { message }),
      ...(retriable === undefined ? {} : { retriable }),
      ...(artifact_id === undefined ? {} : { artifact_id }),
    },
  ]
}

function timeOf(text: string): number {
  const at = Date.parse(text)
  setDaemonTime(at)
  return at
}

function setRows(from: readonly FeedRow[], at: number): void {
  for (const row of from) {
    const there = rows.get(row.h)
    if (there === undefined) rows.set(row.h, new Row(row, at))
    else there.set(row, at)
  }
}

/** Who runs, by pool: the replicas in the order of the configuration, then their slots. */
function running(): ReadonlyMap<string, readonly Row[]> {
  const places = new Map<string, number>()
  for (const { pool_id, replicas } of live.pools.peek()) replicas.forEach(({ replica_id }, i) => places.set(`${pool_id}/${replica_id}`, i))
  const place = ({ pool_id, replica_id = '', slot = 0 }: FeedRow): number => (places.get(`${pool_id}/${replica_id}`) ?? 0) * 5000 + slot
  const found = new Map<string, Row[]>()
  for (const row of rows.values()) {
    const { state, pool_id } = row.facts.peek()
    if (state !== 'running') continue
    const there = found.get(pool_id)
    if (there === undefined) found.set(pool_id, [row])
    else there.push(row)
  }
  for (const list of found.values()) list.sort((a, b) => place(a.facts.peek()) - place(b.facts.peek()))
  return found
}

/** A list in which some have changed, and new ones are at its end. */
function merged<T>(there: readonly T[], changed: readonly T[], id: keyof T): readonly T[] {
  const by = new Map(changed.map((one) => [one[id], one]))
  const list = there.map((one) => {
    const anew = by.get(one[id])
    by.delete(one[id])
    return anew ?? one
  })
  return [...list, ...by.values()]
}
