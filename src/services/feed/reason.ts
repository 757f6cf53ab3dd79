import type { Waits } from '../../domain/queue/waits.ts'
import { shifted } from './shifted.ts'
import { wireMs } from './wire.ts'

/** Why a task waits, as the feed tells it: how many are ahead is its place in the order, and what runs out is counted down by who sees it. */
export class Reason {
  private waits: Waits | undefined
  private until_at: number | undefined

  /** Takes what is true now. Returns whether it is another reason than before. */
  take(waits: Waits | undefined, now: number): boolean {
    const until_at = waits?.until_ms === undefined ? undefined : now + waits.until_ms
    const same = sameReason(this.waits, waits) && !shifted(this.until_at, until_at, now)
    if (same) return false
    this.waits = waits
    this.until_at = until_at
    return true
  }

  tell(now: number): { readonly waits?: Waits } {
    if (this.waits === undefined) return {}
    const { code, text, slots, pool_id, replica_id } = this.waits
    const still = {
      ...{ code, text },
      ...(slots === undefined ? {} : { slots }),
      ...(pool_id === undefined ? {} : { pool_id }),
      ...(replica_id === undefined ? {} : { replica_id }),
    }
    return { waits: { ...still, ...(this.until_at === undefined ? {} : { until_ms: wireMs(this.until_at - now) }) } }
  }
}

const sameReason = (a: Waits | undefined, b: Waits | undefined): boolean =>
  a?.code === b?.code && a?.text === b?.text && a?.slots === b?.slots && a?.pool_id === b?.pool_id && a?.replica_id === b?.replica_id
