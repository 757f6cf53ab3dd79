import { nothingSpent, plus, tightest, type Remaining, type Spent, type Usage } from '../../domain/accounts/budget.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Fact } from '../../ports/journal.ts'
import type { BudgetHolder, Need, ReservedSession } from './reserved-session.ts'

/** What a task holds. */
export interface Hold {
  readonly entry: ReservedSession
  /** The session's owner, if it has budgets. */
  readonly key: BudgetHolder | undefined
  readonly need: Need
  /** The task took its turn before a restart. */
  readonly dispatched: boolean
}

/** What all reservations work with. */
export interface ReservationContext {
  readonly clock: Clock
  /** Called when a session that nothing has made durable has no reservation left. */
  readonly forget: (entry: ReservedSession) => void
}

/**
 * One task's turn in its session and its hold on the budgets of session and key.
 * waiting -(begin)-> running -(settle)-> settled; waiting -(settle)-> settled; running -(pause)-> paused -(begin)-> running.
 */
export class Reservation {
  /** What acceptance has to make durable. */
  readonly facts: readonly Fact[]
  private readonly entry: ReservedSession
  private readonly key: BudgetHolder | undefined
  private readonly need: Need
  private readonly context: ReservationContext
  /** Its session is durable, or on its way to disk before its own facts. */
  private known: boolean
  /** When it began to run, ms. */
  private since = 0
  /** Of its session's budgets when its facts were made. */
  private renewals = 0
  /** Its turn, where it was taken and could not be written. */
  private owed_turns = 0
  /** Its turn is written with its acceptance. */
  private early = false
  private state: 'waiting' | 'running' | 'paused' | 'settled'
  private cancelTimer: CancelTimer | undefined
  private onExhausted: (() => void) | undefined

  constructor({ entry, key, need, dispatched }: Hold, context: ReservationContext) {
    this.entry = entry
    this.key = key
    this.need = need
    this.context = context
    this.known = entry.stored
    this.facts = entry.stored ? noFacts : [{ kind: 'session_put', session: entry.opened }]
    this.state = dispatched ? 'paused' : 'waiting'
    if (!dispatched) entry.reserved++
    entry.tasks++
    entry.account.reserve(need)
    key?.account.reserve(need)
  }

  private get holders(): readonly BudgetHolder[] {
    return this.key === undefined ? [this.entry] : [this.entry, this.key]
  }

  /** Whether the engine kept a warm KV prefix for the session. */
  get kvWarm(): boolean {
    return this.entry.kv_warm
  }

  /** What is left of the tightest budgets. */
  get remaining(): Remaining {
    const now = this.context.clock.now()
    return tightest(this.holders.map(({ account }) => account.remaining(now)))
  }

  /** `facts` are durable. */
  confirm(): void {
    this.known = this.entry.stored = true
  }

  reportKv(warm: boolean): void {
    this.entry.kv_warm = warm
  }

  /** The task will be dispatched as soon as it is accepted: what `begin` would have to make durable goes with the acceptance. */
  beginsEarly(): readonly Fact[] {
    const { gone, session } = this.entry
    if (gone) return []
    this.early = true
    const { owner, session_id, created_at, expires_at } = session
    return [{ kind: 'session_spent', owner, session_id, created_at, expires_at, turns: 1, more: nothingSpent }]
  }

  /**
   * The task is dispatched: a turn counts, and its engine time.
   * @param onExhausted called when a time budget has run out
   * @returns what has to be made durable
   */
  begin(onExhausted: () => void): readonly Fact[] {
    if (this.state !== 'waiting' && this.state !== 'paused') return []
    const again = this.state === 'paused'
    this.state = 'running'
    const now = this.context.clock.now()
    this.onExhausted = onExhausted
    this.since = now
    for (const holder of this.holders) {
      holder.account.begin(now)
      holder.running ??= new Set()
      holder.running.add(this)
    }
    // One more uses the time up sooner for all.
    for (const { running } of this.holders) for (const reservation of [...(running ?? [])]) reservation.watchTime()
    if (again) return []
    this.entry.reserved--
    this.entry.stored = true
    this.entry.turns++
    return this.early ? [] : this.spendings(1)
  }

  /**
   * The task goes back to the queue, or stays in the journal for the next start.
   * @returns what has to be made durable
   */
  pause(): readonly Fact[] {
    if (this.state !== 'running') return []
    this.state = 'paused'
    this.stopRunning()
    return this.spendings()
  }

  /**
   * The task has ended or was never accepted; what it used is booked.
   * @returns what has to be made durable
   */
  settle(used: Usage): readonly Fact[] {
    if (this.state === 'settled') return []
    const running = this.state === 'running'
    const waiting = this.state === 'waiting'
    this.state = 'settled'
    this.entry.tasks--
    if (running) this.stopRunning()
    if (waiting) this.entry.reserved--
    if (!this.entry.stored && this.entry.tasks === 0) this.context.forget(this.entry)
    for (const holder of this.holders) owe(holder, { ...holder.account.settle(this.need, used), time_ms: 0 })
    return waiting ? [] : this.spendings()
  }

  /** Facts that could not be written before, as they are now: their session may be gone meanwhile, or have new budgets. */
  asOfNow(facts: readonly Fact[]): readonly Fact[] {
    const { gone, account } = this.entry
    if (!gone && account.renewals === this.renewals) return facts
    return facts.flatMap((fact): readonly Fact[] => {
      if (fact.kind === 'session_spent') return gone ? [] : [{ ...fact, more: nothingSpent }]
      return gone && fact.kind === 'session_put' ? [] : [fact]
    })
  }

  /**
   * Nobody will write these facts: what was spent is written with the next ones of session and key, and a turn with the next ones of the task: where
   * the daemon dies before, the task is dispatched again, and its turn counts then.
   */
  unwritten(facts: readonly Fact[]): void {
    for (const fact of this.asOfNow(facts))
      if (fact.kind === 'session_spent') {
        if (this.state === 'settled') this.entry.owed_turns += fact.turns
        else this.owed_turns += fact.turns
        owe(this.entry, fact.more)
      } else if (fact.kind === 'key_spent' && this.key !== undefined) owe(this.key, fact.more)
  }

  /** All that is owed. Differences: an end that is written later, or never, takes its own spending along, and nobody else's. */
  private spendings(turns = 0): readonly Fact[] {
    const { entry, key } = this
    const { owner, session_id, created_at, expires_at } = entry.session
    const facts: Fact[] = []
    if (!entry.gone) {
      if (!this.known && !entry.leaving) facts.push({ kind: 'session_put', session: entry.opened })
      const all = turns + this.owed_turns + entry.owed_turns
      facts.push({ kind: 'session_spent', owner, session_id, created_at, expires_at, turns: all, more: entry.owed })
    }
    this.owed_turns = entry.owed_turns = 0
    ;[entry.owed, this.renewals] = [nothingSpent, entry.account.renewals]
    if (key !== undefined && key.owed !== nothingSpent) {
      facts.push({ kind: 'key_spent', owner, more: key.owed })
      key.owed = nothingSpent
    }
    return facts
  }

  /** Watches the time budgets while the task runs; to be called again when a limit was set anew, or another task began to use the same budget. */
  watchTime(): void {
    this.cancelTimer?.()
    const now = this.context.clock.now()
    const left = Math.min(...this.holders.map(({ account }) => account.exhaustedIn(now) ?? Infinity))
    if (left === Infinity) return
    if (left <= 0) {
      this.onExhausted?.()
      return
    }
    // A moment later: a task that ends with the last of its budget has not gone beyond it.
    this.cancelTimer = this.context.clock.after(Math.floor(left) + 1, () => {
      this.watchTime()
    })
  }

  private stopRunning(): void {
    this.cancelTimer?.()
    const now = this.context.clock.now()
    for (const holder of this.holders) {
      holder.running?.delete(this)
      // Sessions are many, and most of them are at rest.
      if (holder.running?.size === 0) holder.running = undefined
      holder.account.end(now)
      owe(holder, { ...nothingSpent, time_ms: Math.max(0, now - Math.max(this.since, holder.account.renewed_at)) })
    }
  }
}

function owe(holder: BudgetHolder, more: Spent): void {
  holder.owed = plus(holder.owed, more)
}

const noFacts: readonly Fact[] = []
