import type { components } from '../../../generated/api.ts'

/** Limits. What is left out is not limited. `time_ms` is engine time. */
export type Budgets = Readonly<components['schemas']['Budgets']>

/** What has been or may be used. Money counts in billionths, so that sums are exact. */
export interface Usage {
  readonly tokens: number
  readonly cost_nano: number
}

/** What an account has used up, as it is stored. */
export interface Spent extends Usage {
  readonly time_ms: number
}

/** What a pool's tokens cost, in money a million tokens. */
export interface Prices {
  readonly input_per_million: number
  readonly output_per_million: number
}

/** Of nobody who has used anything. */
export const nothingSpent: Spent = { tokens: 0, cost_nano: 0, time_ms: 0 }

/** What both have used up together. */
export const plus = (a: Spent, b: Spent): Spent => ({
  tokens: a.tokens + b.tokens,
  cost_nano: a.cost_nano + b.cost_nano,
  time_ms: a.time_ms + b.time_ms,
})

const nano = 1e9

/** Price of a task, billionths, rounded up. In whole numbers: 3 tokens at 0.2 are 600, which 3 * 0.2 * 1000 is not. */
export function costNano(prices: Prices | undefined, tokens_in: number, tokens_out: number): number {
  if (prices === undefined) return 0
  const millionths = BigInt(tokens_in) * inNano(prices.input_per_million) + BigInt(tokens_out) * inNano(prices.output_per_million)
  return Number((millionths + 999_999n) / 1_000_000n)
}

const inNano = (money: number): bigint => BigInt(Math.round(money * nano))

/** What is left of each budget that is set, as the wire shows it; never below 0. */
export interface Remaining {
  readonly tokens?: number
  readonly time_ms?: number
  readonly cost?: number
}

/**
 * The most tokens a task may generate with what is left beside its prompt. At least 1: reserving that much is refused where it is not there.
 * Infinity where neither tokens nor money are limited.
 */
export function affordableTokens({ tokens, cost }: Remaining, prices: Prices | undefined, prompt_tokens: number): number {
  const byTokens = tokens === undefined ? Infinity : tokens - prompt_tokens
  return Math.max(1, Math.min(byTokens, affordableFor(cost, prices, prompt_tokens)))
}

function affordableFor(cost: number | undefined, prices: Prices | undefined, prompt_tokens: number): number {
  if (cost === undefined || prices === undefined || prices.output_per_million === 0) return Infinity
  const millionths = inNano(cost) * 1_000_000n - BigInt(prompt_tokens) * inNano(prices.input_per_million)
  return Number(millionths / inNano(prices.output_per_million))
}

/**
 * One budget holder: a session or a key. Tokens and money are reserved at admission and settled with what was used; engine time is metered
 * while tasks run. Invariant: spent + reserved never exceeds a limit by a reservation.
 */
export class Account {
  limits: Budgets
  /** How often the limits were set anew, and when last: ms. */
  renewals = 0
  renewed_at = -Infinity
  private spentTokens: number
  private spentNano: number
  private spentTime: number
  private reservedTokens = 0
  private reservedNano = 0
  private running = 0
  private meteredAt = 0

  constructor(limits: Budgets, spent: Spent = nothingSpent) {
    this.limits = limits
    this.spentTokens = spent.tokens
    this.spentNano = spent.cost_nano
    this.spentTime = spent.time_ms
  }

  /** Used up so far; time of running tasks up to `now` (ms) included. */
  spent(now: number): Spent {
    this.meter(now)
    return { tokens: this.spentTokens, cost_nano: this.spentNano, time_ms: this.spentTime }
  }

  remaining(now: number): Remaining {
    this.meter(now)
    const { tokens, time_ms, cost } = this.limits
    return {
      ...(tokens === undefined ? {} : { tokens: Math.max(0, tokens - this.spentTokens - this.reservedTokens) }),
      ...(time_ms === undefined ? {} : { time_ms: Math.max(0, Math.ceil(time_ms - this.spentTime)) }),
      ...(cost === undefined ? {} : { cost: Math.max(0, this.nanoLimit(cost) - this.spentNano - this.reservedNano) / nano }),
    }
  }

  /** The budget that does not allow this much more; undefined where all do. */
  lacks({ tokens, cost_nano }: Usage, now: number): 'tokens' | 'time_ms' | 'cost' | undefined {
    this.meter(now)
    const { limits } = this
    if (limits.tokens !== undefined && this.spentTokens + this.reservedTokens + tokens > limits.tokens) return 'tokens'
    if (limits.cost !== undefined && this.spentNano + this.reservedNano + cost_nano > this.nanoLimit(limits.cost)) return 'cost'
    if (limits.time_ms !== undefined && this.spentTime >= limits.time_ms) return 'time_ms'
    return undefined
  }

  reserve({ tokens, cost_nano }: Usage): void {
    this.reservedTokens += tokens
    this.reservedNano += cost_nano
  }

  /** Gives a reservation back and books what was used of it; more than was reserved is booked as what was reserved. Returns what was booked. */
  settle(reserved: Usage, used: Usage): Usage {
    this.reservedTokens -= reserved.tokens
    this.reservedNano -= reserved.cost_nano
    const booked = { tokens: Math.min(used.tokens, reserved.tokens), cost_nano: Math.min(used.cost_nano, reserved.cost_nano) }
    this.spentTokens += booked.tokens
    this.spentNano += booked.cost_nano
    return booked
  }

  /** A task of the account begins to run. */
  begin(now: number): void {
    this.meter(now)
    this.running++
  }

  /** A running task of the account has ended. */
  end(now: number): void {
    this.meter(now)
    this.running--
  }

  /** When the running tasks will have used the time budget up, ms from `now`; undefined where they will not. */
  exhaustedIn(now: number): number | undefined {
    this.meter(now)
    if (this.limits.time_ms === undefined || this.running === 0) return undefined
    return Math.max(0, (this.limits.time_ms - this.spentTime) / this.running)
  }

  /** Sets the limits anew. @param before what was spent until then does not count against them; all so far if left out */
  renew(limits: Budgets, now: number, before: Spent = this.spent(now)): void {
    this.meter(now)
    this.limits = limits
    this.renewals++
    this.renewed_at = now
    this.spentTokens -= before.tokens
    this.spentNano -= before.cost_nano
    this.spentTime -= before.time_ms
  }

  private nanoLimit(cost: number): number {
    return Math.round(cost * nano)
  }

  private meter(now: number): void {
    // Some ask with whole milliseconds: that may be a moment ago.
    if (now <= this.meteredAt) return
    if (this.running > 0) this.spentTime += (now - this.meteredAt) * this.running
    this.meteredAt = now
  }
}

/** The tightest of what several accounts have left. */
export function tightest(all: readonly Remaining[]): Remaining {
  const least: { -readonly [Field in keyof Remaining]: Remaining[Field] } = {}
  for (const one of all)
    for (const field of ['tokens', 'time_ms', 'cost'] as const) {
      const left = one[field]
      if (left !== undefined) least[field] = Math.min(left, least[field] ?? Infinity)
    }
  return least
}

/** Remaining budgets as `metrics` frames and SessionInfo name them. */
export const budgetFields = ({
  tokens,
  time_ms,
  cost,
}: Remaining): Pick<
  components['schemas']['SessionInfo'],
  'tokens_budget_remaining' | 'time_budget_remaining_ms' | 'cost_budget_remaining'
> => ({
  ...(tokens === undefined ? {} : { tokens_budget_remaining: tokens }),
  ...(time_ms === undefined ? {} : { time_budget_remaining_ms: time_ms }),
  ...(cost === undefined ? {} : { cost_budget_remaining: cost }),
})

/** Remaining budgets as headers of the 202 and of the stream. */
export const budgetHeaders = ({
  tokens,
  time_ms,
  cost,
}: Remaining): { 'X-Budget-Tokens-Remaining'?: number; 'X-Budget-Time-Remaining-Ms'?: number; 'X-Budget-Cost-Remaining'?: number } => ({
  ...(tokens === undefined ? {} : { 'X-Budget-Tokens-Remaining': tokens }),
  ...(time_ms === undefined ? {} : { 'X-Budget-Time-Remaining-Ms': time_ms }),
  ...(cost === undefined ? {} : { 'X-Budget-Cost-Remaining': cost }),
})
