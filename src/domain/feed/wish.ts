/** Most waiting tasks that are listed for one viewer. */
const most_waiting = 800
/** Pools whose waiting tasks are listed where nobody says which. */
const pools_unasked = 8

/** What a viewer wants to see of those that wait. */
export interface Wish {
  /** Pools whose waiting tasks are listed. */
  readonly pools: readonly string[]
  /** How many of each. */
  readonly rows: number
  /** Ids of tasks that are listed wherever they wait. */
  readonly tasks: readonly string[]
}

/** A query as it is sent: lists are separated by commas. */
export interface WishQuery {
  readonly pools?: string | undefined
  readonly rows?: number | undefined
  readonly tasks?: string | undefined
}

/** What a query asks for. @param configured ids of all pools, in their order */
export function wishOf({ pools, rows = 30, tasks }: WishQuery, configured: readonly string[]): Wish {
  const listed = pools === undefined ? configured.slice(0, pools_unasked) : [...new Set(pools.split(','))]
  return {
    pools: listed,
    rows: Math.min(rows, Math.floor(most_waiting / Math.max(1, listed.length))),
    tasks: tasks === undefined ? [] : [...new Set(tasks.split(','))],
  }
}
