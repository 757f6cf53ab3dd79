import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { filter } from '../route.ts'
import { live, rowAt, toldAt } from '../live/store.ts'
import type { FeedOrder, FeedPool } from '../live/types.ts'
import { counted, listed, whole } from '../text.ts'
import { Out, Until } from '../out.tsx'
import { itemsOf, matches, type Item } from './items.ts'
import { LaneHead } from './lane-head.tsx'
import { ItemRow } from './item-row.tsx'
import { RunningRows, WindowedRows } from './windowed.tsx'

/** Waiting rows that a lane shows by itself. */
const shownRows = 8

/** A pool: its head, who runs, who waits in the order of dispatch, and who the rest are. */
export function Lane({ pool }: { readonly pool: FeedPool }): VNode {
  const [open, setOpen] = useState(false)
  const wanted = filter.value.toLowerCase()
  const order = live.order.value.get(pool.pool_id)
  const running = (live.running.value.get(pool.pool_id) ?? []).filter((row) => matches(row, wanted))
  const items = itemsOf(order, rowAt).filter((item) => (item.row === undefined ? wanted === '' : matches(item.row, wanted)))
  const total = pool.waiting.interactive + pool.waiting.batch
  const few = items.slice(0, shownRows)
  const hidden = total - few.reduce((sum, item) => sum + item.count, 0)
  const all = live.viewer.value?.role === 'control'
  return (
    <tbody id={`pool-${pool.pool_id}`}>
      <LaneHead pool={pool} />
      <RunningRows pool={pool} rows={running} />
      {open && wanted === '' ? (
        <WindowedRows pool_id={pool.pool_id} items={items} total={all ? total : items.length} />
      ) : (
        (wanted === '' ? few : items).map((item) => <ItemRow key={keyOf(item)} item={item} />)
      )}
      {wanted === '' && hidden > 0 && !all && (
        <Behind hidden={hidden} order={order} open={open} onOpen={() => setOpen(!open)} more={items.length > shownRows} />
      )}
      {wanted === '' && hidden > 0 && all && (
        <tr class="more">
          <td colSpan={9}>
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? 'Show fewer' : `Show ${whole(hidden)} more`}
            </button>{' '}
            <Rest pool={pool} items={items} from={few.reduce((sum, item) => sum + item.count, 0)} />
          </td>
        </tr>
      )}
    </tbody>
  )
}

const keyOf = ({ row, place }: Item): string => row?.facts.peek().task_id ?? `others-${place}`

interface BehindProps {
  /** Tasks behind those that are shown. */
  readonly hidden: number
  readonly order: FeedOrder | undefined
  readonly open: boolean
  readonly onOpen: () => void
  /** Whether more of the reader's own are known. */
  readonly more: boolean
}

/** What a reader who sees only its own tasks is told of those behind: how many, and how many of them are its own. */
function Behind({ hidden, order, open, onOpen, more }: BehindProps): VNode {
  const own = order?.rest?.keys.reduce((sum, { count }) => sum + count, 0) ?? 0
  return (
    <tr class="more">
      <td colSpan={9}>
        {more && (
          <button type="button" aria-expanded={open} onClick={onOpen}>
            {open ? 'Show fewer' : 'Show more'}
          </button>
        )}{' '}
        {!open && (
          <span class="m">
            {counted(hidden, 'task')} {more || own > 0 ? 'wait' : 'of others waiting'}
            {(more || own > 0) && ' further back'}
            {own > 0 && `, ${whole(own)} of them yours`}
          </span>
        )}
      </td>
    </tr>
  )
}

/** Who waits behind those that are shown: places, keys, and when the last one starts. */
function Rest({ pool, items, from }: { readonly pool: FeedPool; readonly items: readonly Item[]; readonly from: number }): VNode {
  const order = live.order.value.get(pool.pool_id)
  const counts = new Map<string, number>(order?.rest?.keys.map(({ key_name, count }) => [key_name, count]))
  let last = order?.rest?.last_start_ms === undefined ? undefined : toldAt(order) + order.rest.last_start_ms
  for (const { row } of items.slice(shownRows)) {
    if (row === undefined) continue
    const { key_name } = row.facts.value
    counts.set(key_name, (counts.get(key_name) ?? 0) + 1)
    if (order?.rest === undefined) last = row.start.value?.at ?? last
  }
  const keys = [...counts].sort(([, a], [, b]) => b - a).slice(0, 5)
  const to = (order?.total ?? 0) - 1
  return (
    <span class="m">
      places {whole(from)} to {whole(to)}
      {keys.length > 0 && (
        <>
          : <Out text={listed(keys.map(([name, count]) => `${whole(count)} of ${name}`))} />
        </>
      )}
      {last !== undefined && (
        <>
          , last start in <Until at={last} />
        </>
      )}
    </span>
  )
}
