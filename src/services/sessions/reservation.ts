import { tightest, type Account, type Remaining, type Usage } from '../../domain/accounts/budget.ts'
import { takeTurn, type Session } from '../../domain/accounts/session.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Fact } from '../../ports/journal.ts'

/** The most a task may use: prompt and `max_tokens`, and what they cost. */
export type Need = Usage

/** A session or a key with budgets. */
export interface BudgetHolder {
  readonly account: Account
  /** Reservations of its tasks that run. */
  readonly running: Set<Pick<Reservation, 'watchTime'>>
}

/** What a reservation needs of its session. */
export interface ReservedSession extends BudgetHolder {
  session: Session
  /** Accepted tasks that have not been dispatched. */
  reserved: number
  /** Accepted tasks that have not ended. */
  tasks: number
  /** In the order in which sessions came, from 1; 0 where it is not kept. */
  number: number
  kv_warm: boolean
  /** A task, putSession or the start of the daemon has made it durable. */
  stored: boolean
  gone: boolean
}

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
  private state: 'waiting' | 'running' | 'paused' | 'settled'
  private cancelTimer: CancelTimer | undefined
  private onExhausted: (() => void) | undefined

  constructor({ entry, key, need, dispatched }: Hold, context: ReservationContext) {
    this.entry = entry
    this.key = key
    this.need = need
    this.context = context
    this.facts = entry.stored ? noFacts : [{ kind: 'session_put', session: entry.session }]
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
    this.entry.stored = true
  }

  reportKv(warm: boolean): void {
    this.entry.kv_warm = warm
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
    for (const { account, running } of this.holders) {
      account.begin(now)
      running.add(this)
    }
    // One more uses the time up sooner for all.
    for (const { running } of this.holders) for (const reservation of [...running]) reservation.watchTime()
    if (again) return []
    this.entry.reserved--
    this.entry.stored = true
    this.entry.session = takeTurn(this.entry.session)
    return this.spendings()
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
    if (!this.entry.stored && this.entry.reserved === 0) this.context.forget(this.entry)
    for (const { account } of this.holders) account.settle(this.need, used)
    return waiting ? [] : this.spendings()
  }

  /** Facts that could not be written before, as they are now: what session and key have spent may have moved on meanwhile, or the session be gone. */
  asOfNow(facts: readonly Fact[]): readonly Fact[] {
    const others = facts.filter(({ kind }) => kind !== 'session_put' && kind !== 'key_spent')
    return others.length === facts.length ? facts : [...others, ...this.spendings()]
  }

  private spendings(): readonly Fact[] {
    const { entry, key } = this
    const now = this.context.clock.now()
    entry.session = { ...entry.session, spent: entry.account.spent(now) }
    const facts: Fact[] = entry.gone ? [] : [{ kind: 'session_put', session: entry.session }]
    if (key !== undefined) facts.push({ kind: 'key_spent', owner: entry.session.owner, spent: key.account.spent(now) })
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
    this.cancelTimer = this.context.clock.after(Math.min(Math.floor(left) + 1, longestTimer_ms), () => {
      this.watchTime()
    })
  }

  private stopRunning(): void {
    this.cancelTimer?.()
    const now = this.context.clock.now()
    for (const { account, running } of this.holders) {
      running.delete(this)
      account.end(now)
    }
  }
}

const noFacts: readonly Fact[] = []

/** Longest time Node's timers take, ms. */
const longestTimer_ms = 2 ** 31 - 1
