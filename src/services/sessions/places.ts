import { DomainError } from '../../domain/errors.ts'

/** How many sessions each key has, and whether it may have one more. */
export class SessionPlaces {
  private readonly mostOf: (owner: string) => number
  private readonly counts = new Map<string, number>()

  /** @param mostOf how many sessions a key may have at once */
  constructor(mostOf: (owner: string) => number) {
    this.mostOf = mostOf
  }

  /** One more of a key, or one less. */
  count(owner: string, more: 1 | -1): void {
    const count = (this.counts.get(owner) ?? 0) + more
    if (count === 0) this.counts.delete(owner)
    else this.counts.set(owner, count)
  }

  /**
   * Whether the key may have one more.
   * @param swept_in_ms when those that have expired count no more
   * @throws DomainError rate_limited
   */
  check(owner: string, swept_in_ms: number): void {
    const most = this.mostOf(owner)
    if ((this.counts.get(owner) ?? 0) < most) return
    const message = `session_id: the key ${owner} has the ${most} sessions that it may have at once; use one of them, delete some or wait until some expire.`
    throw new DomainError('rate_limited', message, { retry_after_ms: Math.max(1, Math.ceil(swept_in_ms)), policy_label: 'rate-limit' })
  }
}
