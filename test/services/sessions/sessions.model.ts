import { tightest, type Budgets, type Remaining, type Usage } from '../../../src/domain/accounts/budget.ts'
import type { SessionRules } from '../../../src/domain/accounts/session.ts'
import { AccountModel } from '../../domain/accounts/budget.model.ts'

/** One life of a session, from its creation to its end. */
export interface Life {
  expires_at: number
  turns: number
  /** Tasks that wait for their turn. */
  waiting: number
  over: boolean
  readonly account: AccountModel
}

/** A task in a life: the life it was admitted to keeps it, whatever becomes of the session's name. */
export interface SeatModel {
  readonly life: Life
  readonly accounts: readonly AccountModel[]
  readonly need: Usage
  state: 'waiting' | 'running' | 'suspended'
}

export type Refusal = 'turns' | 'session' | 'key'

/** What sessions do, as plainly as possible. */
export class SessionsModel {
  private readonly lives = new Map<string, Life>()
  private readonly keys: ReadonlyMap<string, AccountModel>
  private readonly rules: SessionRules

  constructor(rules: SessionRules, keyBudgets: ReadonlyMap<string, Budgets>) {
    this.rules = rules
    this.keys = new Map([...keyBudgets].map(([name, budgets]) => [name, new AccountModel(budgets)]))
  }

  alive(owner: string, id: string, now: number): Life | undefined {
    const life = this.lives.get(`${owner}/${id}`)
    return life === undefined || life.over || life.expires_at <= now ? undefined : life
  }

  reserve(owner: string, id: string, need: Usage, readmit: boolean, now: number): SeatModel | Refusal {
    const life = this.alive(owner, id, now) ?? this.born(now, this.rules.ttl_ms, this.rules.budgets)
    const key = this.keys.get(owner)
    if (!readmit) {
      if (life.turns + life.waiting >= this.rules.max_turns) return 'turns'
      if (life.account.lacks(need, now) !== undefined) return 'session'
      if (key?.lacks(need, now) !== undefined) return 'key'
    }
    this.lives.set(`${owner}/${id}`, life)
    life.waiting++
    const accounts = key === undefined ? [life.account] : [life.account, key]
    for (const account of accounts) account.reserve(need)
    return { life, accounts, need, state: 'waiting' }
  }

  take(reservation: SeatModel, now: number): void {
    if (reservation.state === 'waiting') {
      reservation.life.waiting--
      reservation.life.turns++
    }
    reservation.state = 'running'
    for (const account of reservation.accounts) account.begin(now)
  }

  suspend(reservation: SeatModel, now: number): void {
    reservation.state = 'suspended'
    for (const account of reservation.accounts) account.end(now)
  }

  leave(reservation: SeatModel, used: Usage, now: number): void {
    if (reservation.state === 'waiting') reservation.life.waiting--
    if (reservation.state === 'running') for (const account of reservation.accounts) account.end(now)
    for (const account of reservation.accounts) account.settle(reservation.need, used)
  }

  put(owner: string, id: string, ttl_ms: number | undefined, budgets: Budgets | undefined, now: number): Life {
    const limits = { ...this.rules.budgets, ...budgets }
    const life = this.alive(owner, id, now) ?? this.born(now, 0, limits)
    life.expires_at = now + (ttl_ms ?? this.rules.ttl_ms)
    life.account.renew(limits, now)
    this.lives.set(`${owner}/${id}`, life)
    return life
  }

  remaining(owner: string, life: Life, now: number): Remaining {
    const key = this.keys.get(owner)
    return tightest([life.account, ...(key === undefined ? [] : [key])].map((account) => account.remaining(now)))
  }

  /** Whether a time budget the reservation stands on is used up; `late_ms` of engine time later, it must have been noticed. */
  isExhausted(reservation: SeatModel, now: number, late_ms = 0): boolean {
    return reservation.accounts.some(
      (account) => account.limits.time_ms !== undefined && account.time(now) >= account.limits.time_ms + late_ms * account.running,
    )
  }

  private born(now: number, ttl_ms: number, limits: Budgets): Life {
    return { expires_at: now + ttl_ms, turns: 0, waiting: 0, over: false, account: new AccountModel(limits) }
  }
}
