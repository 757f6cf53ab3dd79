import { computed } from '@preact/signals'
import { live } from '../live/store.ts'
import type { LateTask } from './attention.ts'

/** Waiting tasks in view that will probably be late; counted anew when an order changes, and once a second at most otherwise. */
export const late = computed<readonly LateTask[]>(() => {
  // A prediction alone changes no list; the pools are told once a second.
  if (live.pools.value.length === 0) return []
  return live.rows.value.filter((row) => row.isLate).map(({ facts }) => facts.peek())
})
