import { Account, nothingSpent, tightest, type Budgets, type Remaining } from '../../domain/accounts/budget.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import {
  checkWithin,
  isExpired,
  openSession,
  renewed,
  sessionInfo,
  turnsLeft,
  type Session,
  type SessionInfo,
  type SessionRules,
} from '../../domain/accounts/session.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Journal } from '../../ports/journal.ts'
import type { SessionStore } from '../../ports/session-store.ts'
import type { CreationLimits } from '../creation-limits.ts'
import { KeyedMutex } from '../keyed-mutex.ts'
import { KnownSessions } from './known-sessions.ts'
import { sessionPage, type SessionPage, type SessionQuery, type WarmOn } from './session-page.ts'
import { Reservation, type ReservationContext } from './reservation.ts'
import type { BudgetHolder, Need, ReservedSession } from './reserved-session.ts'

/** How often expired sessions are swept, ms. */
const sweep_ms = 60_000

/** What sessions work with. */
export interface SessionsParts {
  readonly rules: SessionRules
  /** Of keys that have some, by name. */
  readonly keyBudgets: ReadonlyMap<string, Budgets>
  readonly clock: Clock
  readonly journal: Pick<Journal, 'commit'>
  readonly creation: Pick<CreationLimits, 'countRequest' | 'checkDisk'>
  /** How many sessions a key may have at once. */
  readonly mostOf: (owner: string) => number
}

type Claim = 'lasting' | 'passing' | 'accepted' | 'dispatched'

/** Sessions of all keys: created by their first task or by putSession, gone when they expire or are deleted. */
export class Sessions {
  private readonly entries: KnownSessions
  private readonly parts: SessionsParts
  private readonly keys = new Map<string, BudgetHolder>()
  private readonly puts = new KeyedMutex()
  /** When expired ones were last swept, ms since the epoch. */
  private swept = 0
  private readonly context: ReservationContext

  constructor(parts: SessionsParts) {
    this.parts = parts
    this.entries = new KnownSessions(parts.mostOf)
    this.context = { clock: parts.clock, forget: this.entries.forget }
  }

  /** Takes in what is stored and starts to sweep. Returns how to stop. */
  async start(store: SessionStore): Promise<() => void> {
    for await (const page of store.all()) for (const session of page) this.entries.enter(entryOf(session, true))
    const spent = await store.spentByKeys()
    for (const [name, budgets] of this.parts.keyBudgets)
      this.keys.set(name, { account: new Account(budgets, spent.get(name)), running: undefined, owed: nothingSpent })
    // A sweep that cannot be made durable is repeated by the next one.
    const sweep = (): Promise<void> => this.sweep().catch(() => undefined)
    await sweep()
    return this.parts.clock.every(sweep_ms, () => void sweep())
  }

  /**
   * Reserves a turn and what the task may use, creating the session if there is none.
   * @param how `lasting`: no turn is asked for, and the session lives on from now. `passing`: the session is this task's alone; it is not kept,
   * neither here nor on disk. `accepted`, `dispatched`: the task was accepted before a restart and not dispatched yet, or dispatched as well: it
   * is not refused
   * @throws DomainError budget_exhausted where the session has no turn left, or the session or the key no budget for the task; rate_limited where
   * there is no such session and the key has as many as it may
   */
  reserve(owner: string, session_id: string, need: Need, how?: Claim): Reservation {
    if (how !== 'accepted' && how !== 'dispatched') this.check(owner, session_id, need, how)
    const now = Math.floor(this.parts.clock.now())
    const present = how === 'passing' ? undefined : this.alive(owner, session_id, now)
    const entry = present ?? entryOf(openSession(owner, session_id, now, this.parts.rules), how === 'passing')
    if (how === 'passing') entry.gone = true
    else if (present === undefined) this.entries.enter(entry)
    if (how === 'lasting') entry.session = renewed(entry.session, now)
    return new Reservation({ entry, key: this.keys.get(owner), need, dispatched: how === 'dispatched' }, this.context)
  }

  /** Whether `reserve` would refuse a task that is new. @throws DomainError as `reserve` */
  check(owner: string, session_id: string, need: Need, how?: 'lasting' | 'passing'): void {
    const now = Math.floor(this.parts.clock.now())
    const present = how === 'passing' ? undefined : this.alive(owner, session_id, now)
    const { rules } = this.parts
    if (how === undefined && present !== undefined && turnsLeft(present, present.reserved, rules) === 0)
      throw new DomainError('budget_exhausted', `session_id: the session has used its ${rules.max_turns} turns; use another session.`)
    const key = this.keys.get(owner)
    this.checkBudget(present?.account ?? new Account(rules.budgets), need, 'session', now)
    if (key !== undefined) this.checkBudget(key.account, need, 'key', now)
    if (how !== 'passing') this.checkPlace(owner, session_id)
  }

  /** @throws DomainError not_found */
  info(principal: Principal, session_id: string): SessionInfo {
    return this.describe(this.find(principal, session_id))
  }

  /** Those that have not expired, newest first. @throws DomainError forbidden */
  list(principal: Principal, query: SessionQuery, warmOn: WarmOn): SessionPage {
    return sessionPage(this.entries, principal, query, { clock: this.parts.clock, describe: (entry) => this.describe(entry), warmOn })
  }

  /**
   * Creates the session, or gives the one that exists a new life and new budgets; its turns stay. Durable when it resolves.
   * @throws DomainError invalid_params, rate_limited, pool_unavailable
   */
  async put(principal: Principal, session_id: string, ttl_ms: number | undefined, budgets: Budgets | undefined): Promise<SessionInfo> {
    const { name: owner } = principal
    const { rules, creation } = this.parts
    creation.countRequest(owner)
    creation.checkDisk()
    checkWithin(rules, ttl_ms, budgets)
    const limits = { ...rules.budgets, ...budgets }
    return this.puts.run(`${owner}/${session_id}`, () => this.written(owner, session_id, ttl_ms ?? rules.ttl_ms, limits))
  }

  /**
   * Ends a session; its tasks go on.
   * @throws DomainError not_found
   */
  async delete(principal: Principal, session_id: string): Promise<void> {
    const entry = this.find(principal, session_id)
    const { owner } = entry.session
    // Before it is durable, so that no task writes it anew behind the deletion.
    entry.leaving = true
    try {
      await this.parts.journal.commit([{ kind: 'session_deleted', owner, session_id }])
    } catch (error) {
      entry.leaving = false
      throw error
    }
    this.entries.forget(entry)
  }

  /** What is left of the tightest budgets of a session and its key. */
  remaining(owner: string, session_id: string): Remaining {
    const entry = this.entries.get(owner, session_id)
    const key = this.keys.get(owner)
    const now = this.parts.clock.now()
    return tightest([entry, key].flatMap((holder) => holder?.account.remaining(now) ?? []))
  }

  /** What is left for a task that comes into this session now, whether or not there is such a session yet. */
  allowance(owner: string, session_id: string): Remaining {
    const now = this.parts.clock.now()
    const present = this.alive(owner, session_id, Math.floor(now))
    const accounts = [present?.account ?? new Account(this.parts.rules.budgets), this.keys.get(owner)?.account]
    return tightest(accounts.flatMap((account) => account?.remaining(now) ?? []))
  }

  /** Writes what PUT asks for. One after another for each session: what was spent before counts no more from the first of them on. */
  private async written(owner: string, session_id: string, ttl_ms: number, limits: Budgets): Promise<SessionInfo> {
    const now = Math.floor(this.parts.clock.now())
    const present = this.alive(owner, session_id, now)
    const life = { created_at: now, expires_at: now + ttl_ms }
    this.checkPlace(owner, session_id)
    const entry = present ?? entryOf({ ...openSession(owner, session_id, now, this.parts.rules), ...life, budgets: limits }, false)
    // It is there from now on, so that tasks which come meanwhile are in it.
    this.entries.enter(entry)
    entry.tasks++
    const before = entry.account.spent(this.parts.clock.now())
    try {
      await this.parts.journal.commit([
        ...(entry.stored ? [] : [{ kind: 'session_put', session: entry.opened } as const]),
        ...(present === undefined ? [] : [{ kind: 'session_renewed', owner, session_id, ...life, budgets: limits } as const]),
      ])
      entry.stored = true
    } finally {
      entry.tasks--
      if (!entry.stored && entry.tasks === 0) this.entries.forget(entry)
    }
    if (present !== undefined) {
      // Tasks may have come and gone while this was written: what they spent meanwhile counts.
      entry.account.renew(limits, this.parts.clock.now(), before)
      entry.session = { ...entry.session, ...life }
      for (const reservation of [...(entry.running ?? [])]) reservation.watchTime()
    }
    return this.describe(entry)
  }

  private describe({ session, turns, kv_warm }: ReservedSession): SessionInfo {
    const left = this.remaining(session.owner, session.session_id)
    return sessionInfo({ expires_at: session.expires_at, turns }, this.parts.clock.now(), kv_warm, left)
  }

  private checkBudget(account: Account, need: Need, whose: 'session' | 'key', now: number): void {
    const lacking = account.lacks(need, now)
    if (lacking === undefined) return
    const left = account.remaining(now)[lacking] ?? 0
    const wanted = {
      tokens: `the task may use ${need.tokens} tokens`,
      cost: `the task may cost ${need.cost_nano / 1e9}`,
      time_ms: 'no engine time is left',
    }[lacking]
    throw new DomainError('budget_exhausted', `The ${lacking} budget of the ${whose} does not allow it: ${wanted}, ${left} is left.`)
  }

  private find(principal: Principal, session_id: string): ReservedSession {
    const now = this.parts.clock.now()
    const own = this.entries.get(principal.name, session_id)
    if (own === undefined || isExpired(own.session, now)) throw new DomainError('not_found', 'No such session.')
    return own
  }

  /** The session of this id, if a task may come into it. */
  private alive(owner: string, session_id: string, now: number): ReservedSession | undefined {
    const entry = this.entries.get(owner, session_id)
    return entry === undefined || entry.leaving || isExpired(entry.session, now) ? undefined : entry
  }

  /** Whether the key may have this session beside those it has. @throws DomainError rate_limited */
  private checkPlace(owner: string, session_id: string): void {
    if (!this.entries.has(owner, session_id)) this.entries.places.check(owner, this.swept + sweep_ms - this.parts.clock.now())
  }

  private async sweep(): Promise<void> {
    const now = this.parts.clock.now()
    this.swept = now
    const expired = [...this.entries.values()].filter(({ session }) => isExpired(session, now))
    if (expired.length === 0) return
    await this.parts.journal.commit(expired.map(({ session: { owner, session_id } }) => ({ kind: 'session_deleted', owner, session_id })))
    for (const entry of expired) this.entries.forget(entry)
  }
}

const entryOf = (session: Session, stored: boolean): ReservedSession => ({
  session,
  opened: session,
  turns: session.turns,
  account: new Account(session.budgets, session.spent),
  owed: nothingSpent,
  owed_turns: 0,
  reserved: 0,
  tasks: 0,
  number: 0,
  kv_warm: false,
  stored,
  leaving: false,
  gone: false,
  running: undefined,
})
