import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { daemonTime } from '../live/clock.ts'
import { rowOf, type Row } from '../live/row.ts'
import { live } from '../live/store.ts'
import type { FeedPool, FeedRow } from '../live/types.ts'
import { client } from '../session.ts'
import { whole } from '../text.ts'
import type { Item } from './items.ts'
import { ItemRow } from './item-row.tsx'
import { RunningRow } from './row.tsx'
import { useWindow } from './use-window.ts'
import { slotName } from './words.ts'

const page_rows = 200
/** How often rows that the feed does not bring are asked for anew while they are seen, ms. */
const again_ms = 3000

/** A list of any length of which only what is seen is in the page. What the feed does not bring is asked for by its places. */
export function WindowedRows({
  pool_id,
  items,
  total,
}: {
  readonly pool_id: string
  readonly items: readonly Item[]
  readonly total: number
}): VNode {
  const { from, to, height, top, passing } = useWindow(total, 'w')
  const read = useReadRows(from, to, passing)
  const known = items.length === 0 ? 0 : (items.at(-1)?.place ?? 0) + 1
  const more = usePlaces(pool_id, Math.max(known, from), passing ? from : to)
  const rows: VNode[] = []
  for (let i = from; i < to; i++) {
    const item = !read(i) ? undefined : i < items.length ? items[i] : more.get(i)
    rows.push(item === undefined ? <Coming key={i} place={i} /> : <ItemRow key={i} item={item} />)
  }
  return (
    <>
      <tr ref={top} class="gap" aria-hidden="true" />
      <Gap height={from * height} />
      {rows}
      <Gap height={Math.max(0, total - to) * height} />
    </>
  )
}

/** Which rows are made: of those that are only passed by, none that was not there before. */
function useReadRows(from: number, to: number, passing: boolean): (place: number) => boolean {
  const made = useRef({ from, to })
  if (!passing) made.current = { from, to }
  const { current } = made
  return (place) => !passing || (place >= current.from && place < current.to)
}

/** Room for rows that are not in the page. */
const Gap = ({ height }: { readonly height: number }): VNode => (
  <tr class="gap" aria-hidden="true">
    <td colSpan={9} style={{ height: `${height}px` }} />
  </tr>
)

/** More than so many running rows are kept to what is seen. */
const many = 60

/** Those that run, in the order of their slots; where they are many, those that are seen. */
export function RunningRows({ pool, rows }: { readonly pool: FeedPool; readonly rows: readonly Row[] }): VNode {
  const { from, to, height, top } = useWindow(rows.length, 'r')
  const windowed = rows.length > many
  const shown = windowed ? rows.slice(from, to) : rows
  return (
    <>
      <tr ref={top} class="gap" aria-hidden="true" />
      {windowed && <Gap height={from * height} />}
      {shown.map((row) => (
        <RunningRow key={row.facts.peek().task_id} row={row} place={placeOf(pool, row.facts.value)} />
      ))}
      {windowed && <Gap height={Math.max(0, rows.length - to) * height} />}
    </>
  )
}

const placeOf = (pool: FeedPool, { replica_id = '', slot }: FeedRow): string => slotName(pool, replica_id, slot)

const Coming = ({ place }: { readonly place: number }): VNode => (
  <tr class="w">
    <td class="p n">{whole(place)}</td>
    <td class="t m" colSpan={8}>
      …
    </td>
  </tr>
)

/** The tasks at places of a queue that the feed does not bring, as they come. */
function usePlaces(pool_id: string, from: number, to: number): ReadonlyMap<number, Item> {
  const [places, setPlaces] = useState<ReadonlyMap<number, Item>>(new Map())
  const page = Math.floor(from / page_rows)
  const last = Math.floor(Math.max(from, to - 1) / page_rows)
  const needed = from < to
  useEffect(() => {
    if (!needed) return
    const stop = new AbortController()
    const load = async (): Promise<void> => {
      const found = new Map<number, Item>()
      for (let at = page; at <= last; at++) {
        const running = live.running.peek().get(pool_id)?.length ?? 0
        const query = { offset: running + at * page_rows, limit: page_rows }
        const { entries } = await client.peek().pools.queue(pool_id, query, { signal: stop.signal })
        const key_name = live.viewer.peek()?.key_name ?? ''
        for (const entry of entries) {
          const place = entry.queue_position
          if (place !== undefined) found.set(place, { row: rowOf(entry, pool_id, key_name, daemonTime()), place, count: 1 })
        }
      }
      setPlaces(found)
    }
    // What cannot be loaded now is tried again; the page says itself when the daemon is gone.
    const tryLoad = (): void => void load().catch(() => undefined)
    tryLoad()
    const timer = setInterval(tryLoad, again_ms)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [pool_id, page, last, needed])
  return places
}
