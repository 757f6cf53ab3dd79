import type { components } from '../../../generated/api.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import type { Feed } from '../../../src/services/feed/feed.ts'
import { parseFrame } from '../../../cli/contract/frame.ts'

type Schemas = components['schemas']
export type Snapshot = Schemas['FeedSnapshot']
export type Changes = Schemas['FeedChanges']
type Query = Parameters<Feed['open']>[1]

/** What somebody sees who has merged every event it got. */
export interface Picture {
  at: number
  readonly rows: Map<number, Schemas['FeedRow'] & { start_at?: number; until_at?: number }>
  readonly order: Map<string, Schemas['FeedOrder'] & { last_start_at?: number }>
  readonly pools: Map<string, Schemas['FeedPool']>
  readonly keys: Map<string, Schemas['FeedKey']>
  devices: Schemas['FeedDevice'][]
  daemon: Schemas['FeedDaemon'] | undefined
  running_total: number
}

const blank = (): Picture => ({
  at: 0,
  ...{ rows: new Map(), order: new Map(), pools: new Map(), keys: new Map() },
  ...{ devices: [], daemon: undefined, running_total: 0 },
})

/** A viewer that reads when it is told to, and merges what it gets as a page does. */
export class Watcher {
  private readonly feed: Pick<Feed, 'open'>
  private readonly who: Principal
  private readonly query: Query
  private source: ReturnType<Feed['open']>
  private buffer = ''
  picture = blank()
  last: string | undefined
  /** Names of its events in order, comments among them. */
  readonly events: string[] = []
  readonly ended: Schemas['FeedEnded'][] = []
  readonly samples: Schemas['FeedSample'][] = []
  /** All that it ever got. */
  wire = ''
  /** How often there was something to take. */
  woken = 0

  constructor(feed: Pick<Feed, 'open'>, who: Principal, query: Query = {}) {
    ;[this.feed, this.who, this.query] = [feed, who, query]
    this.source = this.open()
  }

  /** Takes all there is. */
  read(max_chars = 1 << 16): this {
    for (let text = this.source.take(max_chars); text !== ''; text = this.source.take(max_chars)) this.buffer += text
    this.wire += this.buffer
    const frames = this.buffer.split('\n\n')
    this.buffer = frames.pop() ?? ''
    for (const text of frames) this.merge(text)
    return this
  }

  get done(): boolean {
    return this.source.done
  }

  close(): void {
    this.source.close()
    this.buffer = ''
  }

  /** The connection breaks, and it comes back. */
  reconnect(): void {
    this.close()
    this.source = this.open()
  }

  private open(): ReturnType<Feed['open']> {
    const source = this.feed.open(this.who, this.query, this.last)
    source.onReadable(() => this.woken++)
    return source
  }

  private merge(text: string): void {
    if (text.startsWith(':')) {
      this.events.push('comment')
      return
    }
    const { event, id, data } = parseFrame(text)
    this.events.push(event ?? '')
    this.last = id ?? this.last
    if (event === 'sample') this.samples.push(data as unknown as Schemas['FeedSample'])
    else if (event === 'snapshot') this.begin(data as unknown as Snapshot)
    else this.follow(data as unknown as Changes)
  }

  private begin(snapshot: Snapshot): void {
    this.picture = blank()
    const { at, daemon, pools, devices, keys, rows, running_total, order } = snapshot
    this.follow({ at, daemon, pools, devices, keys, rows, running_total, order })
  }

  /** What a row says as long as its task lives. */
  private lastingOf(h: number) {
    const { task_id, session_id, key_name, priority, model_ref, accepted_at, deadline_at, tokens_in, tokens_max } =
      this.picture.rows.get(h)!
    return {
      ...{ task_id, session_id, key_name, priority, model_ref, accepted_at, deadline_at },
      ...(tokens_in === undefined ? {} : { tokens_in }),
      ...(tokens_max === undefined ? {} : { tokens_max }),
    }
  }

  private follow(changes: Changes): void {
    const { picture } = this
    const at = (picture.at = Date.parse(changes.at))
    for (const h of changes.gone ?? []) picture.rows.delete(h)
    const known = (changes.states ?? []).map((state) => ({ ...this.lastingOf(state.h), ...state }))
    for (const { predicted_start_ms, waits, ...row } of [...(changes.rows ?? []), ...known]) {
      const { until_ms, ...reason } = waits ?? { until_ms: undefined }
      picture.rows.set(row.h, {
        ...row,
        ...(waits === undefined ? {} : { waits: reason as Schemas['Waits'] }),
        ...(predicted_start_ms === undefined ? {} : { start_at: at + predicted_start_ms }),
        ...(until_ms === undefined ? {} : { until_at: at + until_ms }),
      })
    }
    for (const [h = 0, tokens_out = 0, rate] of changes.progress ?? []) {
      const row = picture.rows.get(h)!
      Object.assign(row, { tokens_out, ...(rate === undefined ? {} : { tokens_per_s: rate }) })
    }
    for (const [h = 0, ms = 0, chance] of changes.predicted ?? [])
      Object.assign(picture.rows.get(h)!, { start_at: at + ms, on_time_probability: chance })
    for (const order of changes.order ?? []) {
      const { last_start_ms, ...rest } = order.rest ?? {}
      const told = { ...order, ...(order.rest === undefined ? {} : { rest: rest as Schemas['FeedRest'] }) }
      picture.order.set(order.pool_id, { ...told, ...(last_start_ms === undefined ? {} : { last_start_at: at + last_start_ms }) })
    }
    for (const pool of changes.pools ?? []) picture.pools.set(pool.pool_id, pool)
    for (const key of changes.keys ?? []) picture.keys.set(key.key_name, key)
    this.ended.push(...(changes.ended ?? []))
    picture.devices = changes.devices ?? picture.devices
    picture.daemon = changes.daemon ?? picture.daemon
    picture.running_total = changes.running_total ?? picture.running_total
  }
}

/** Later than this is as late as the wire can say, whenever it was said, ms. */
const far_ms = 24 * 24 * 60 * 60 * 1000

/** A picture as it can be compared: what is counted down is hundredths of a second from this moment, none below 0. */
export function comparable({ rows, order, pools, keys, devices, daemon, running_total }: Picture, at: number): object {
  const left = (moment: number | undefined): number | undefined =>
    moment === undefined ? undefined : moment - at > far_ms ? Infinity : Math.round(Math.max(0, moment - at) / 10)
  const byName = <T>(things: Map<string | number, T>): [string | number, T][] =>
    [...things].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return {
    rows: byName(rows).map(([, { start_at, until_at, ...row }]) => ({ ...row, start: left(start_at), until: left(until_at) })),
    order: byName(order).map(([, { last_start_at, ...one }]) => ({ ...one, last: left(last_start_at) })),
    pools: byName(pools).map(([, { replicas, ...pool }]) => ({
      ...pool,
      replicas: replicas.map((one) => ({ ...one, restart_in_ms: 0, loading: undefined })),
    })),
    keys: byName(keys),
    ...{ devices, running_total },
    daemon: daemon && { ...daemon, restart: { ...daemon.restart, lossless_in_ms: undefined } },
  }
}
