import type { Row } from '../live/row.ts'
import type { FeedOrder } from '../live/types.ts'

/** A place in a queue: a task, or others that may not be known. */
export interface Item {
  readonly row: Row | undefined
  /** How many start before it. */
  readonly place: number
  /** Tasks that it stands for. */
  readonly count: number
}

/** Who waits, in the order of dispatch, as far as the feed tells. */
export function itemsOf(order: FeedOrder | undefined, rowAt: (h: number) => Row | undefined): Item[] {
  const items: Item[] = []
  let place = 0
  for (const h of order?.first ?? []) {
    const row = h < 0 ? undefined : rowAt(h)
    const count = h < 0 ? -h : 1
    // A row that has not come yet comes with the next event.
    if (h < 0 || row !== undefined) items.push({ row, place, count })
    place += count
  }
  return items
}

/** Whether a task is what a filter asks for: part of its id, key, session or pool, a word of why it waits, or `late`. */
export function matches(row: Row, wanted: string): boolean {
  if (wanted === '') return true
  if (wanted === 'late') return row.isLate
  const { task_id, session_id, key_name, pool_id, waits, model_ref } = row.facts.peek()
  return [task_id, session_id, key_name, pool_id, model_ref, waits?.text ?? ''].some((text) => text.toLowerCase().includes(wanted))
}
