import type { Budgets, Remaining, Usage } from '../../../src/domain/accounts/budget.ts'

/** What was booked or is held, in billionths where it is money. */
interface Hold {
  readonly tokens: bigint
  readonly nano: bigint
}

/** A stretch of engine time; one that goes on has no end. */
interface Run {
  readonly from: number
  to: number | undefined
}

const holdOf = ({ tokens, cost_nano }: Usage): Hold => ({ tokens: BigInt(tokens), nano: BigInt(cost_nano) })
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** An account as plainly as possible: lists of what was held, booked and run, added up anew for each question, in whole numbers. */
export class AccountModel {
  limits: Budgets
  private held: Hold[] = []
  private booked: Hold[] = []
  private runs: Run[] = []
  private renewed_at = -Infinity

  constructor(limits: Budgets) {
    this.limits = limits
  }

  reserve(usage: Usage): void {
    this.held.push(holdOf(usage))
  }

  settle(reserved: Usage, used: Usage): void {
    const hold = holdOf(reserved)
    const index = this.held.findIndex(({ tokens, nano }) => tokens === hold.tokens && nano === hold.nano)
    this.held.splice(index, 1)
    const use = holdOf(used)
    this.booked.push({ tokens: least(use.tokens, hold.tokens), nano: least(use.nano, hold.nano) })
  }

  begin(now: number): void {
    this.runs.push({ from: now, to: undefined })
  }

  end(now: number): void {
    const run = this.runs.find(({ to }) => to === undefined)
    if (run !== undefined) run.to = now
  }

  renew(limits: Budgets, now: number): void {
    this.limits = limits
    this.booked = []
    this.renewed_at = now
  }

  get running(): number {
    return this.runs.filter(({ to }) => to === undefined).length
  }

  time(now: number): number {
    return this.runs.reduce((sum, { from, to }) => sum + Math.max(0, (to ?? now) - Math.max(from, this.renewed_at)), 0)
  }

  spent(now: number): { readonly tokens: number; readonly cost_nano: number; readonly time_ms: number } {
    return { tokens: Number(this.sum('tokens', this.booked)), cost_nano: Number(this.sum('nano', this.booked)), time_ms: this.time(now) }
  }

  /** Limit less what was booked and is held; below 0 where a renewal left more held than it allows. */
  left(field: 'tokens' | 'nano'): bigint | undefined {
    const limit = field === 'tokens' ? this.limits.tokens : this.limits.cost
    if (limit === undefined) return undefined
    const whole = field === 'tokens' ? BigInt(limit) : nanoOf(limit)
    return whole - this.sum(field, this.booked) - this.sum(field, this.held)
  }

  remaining(now: number): Remaining {
    const tokens = this.left('tokens')
    const nano = this.left('nano')
    const { time_ms } = this.limits
    return {
      ...(tokens === undefined ? {} : { tokens: Number(tokens < 0n ? 0n : tokens) }),
      ...(time_ms === undefined ? {} : { time_ms: Math.max(0, Math.ceil(time_ms - this.time(now))) }),
      ...(nano === undefined ? {} : { cost: Number(nano < 0n ? 0n : nano) / 1e9 }),
    }
  }

  lacks(need: Usage, now: number): keyof Remaining | undefined {
    const { tokens, nano } = holdOf(need)
    const left = { tokens: this.left('tokens'), nano: this.left('nano') }
    if (left.tokens !== undefined && tokens > left.tokens) return 'tokens'
    if (left.nano !== undefined && nano > left.nano) return 'cost'
    return this.limits.time_ms !== undefined && this.time(now) >= this.limits.time_ms ? 'time_ms' : undefined
  }

  private sum(field: keyof Hold, holds: readonly Hold[]): bigint {
    return holds.reduce((sum, hold) => sum + hold[field], 0n)
  }
}

/** Money as it is written down, in billionths. */
export function nanoOf(money: number): bigint {
  const [whole = '0', part = ''] = money.toFixed(9).split('.')
  return BigInt(whole) * 1_000_000_000n + BigInt(part)
}
