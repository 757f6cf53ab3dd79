import { computed } from '@preact/signals'
import { allRows, live } from '../live/store.ts'
import type { LateTask } from './attention.ts'

/** Waiting tasks in view that will probably be late; counted anew when an order changes, and once a second at most otherwise. */
export const late = computed<readonly LateTask[]>(() => {
  // Both change when rows do.
  if (live.order.value.size === 0 || live.pools.value.length === 0) return []
  return [...allRows()].filter((row) => row.isLate).map(({ facts }) => facts.peek())
})
