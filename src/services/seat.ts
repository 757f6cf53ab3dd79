import { tightest, type Account, type Remaining, type Usage } from '../domain/budget.ts'
import { takeTurn, type Session } from '../domain/session.ts'
import type { CancelTimer, Clock } from '../ports/clock.ts'
import type { Fact } from '../ports/journal.ts'

/** The most a task may use: prompt and `max_tokens`, and what they cost. */
export type Need = Usage

/** What a seat needs of its session. */
export interface SeatedSession {
  session: Session
  readonly account: Account
  /** Accepted tasks that have not been dispatched. */
  reserved: number
  kv_warm: boolean
  /** A task, putSession or the start of the daemon has made it durable. */
  stored: boolean
  gone: boolean
  /** Seats of tasks that run. */
  readonly running: Set<Pick<Seat, 'watchTime'>>
}

/**
 * One task's seat in its session and its hold on the budgets of session and key.
 * waiting -(take)-> running -(leave)-> left; waiting -(leave)-> left; running -(suspend)-> suspended -(take)-> running.
 */
export class Seat {
  /** What acceptance has to make durable. */
  readonly facts: readonly Fact[]
  private readonly entry: SeatedSession
  private readonly accounts: readonly Account[]
  private readonly need: Need
  private readonly clock: Clock
  /** Called when a session that nothing has made durable has no seat left. */
  private readonly forget: () => void
  private state: 'waiting' | 'running' | 'suspended' | 'left' = 'waiting'
  private cancelTimer: CancelTimer = () => undefined
  private onExhausted: () => void = () => undefined

  constructor(entry: SeatedSession, accounts: readonly Account[], need: Need, clock: Clock, forget: () => void) {
    this.entry = entry
    this.accounts = accounts
    this.need = need
    this.clock = clock
    this.forget = forget
    this.facts = entry.stored ? [] : [{ kind: 'session_put', session: entry.session }]
    entry.reserved++
    for (const account of accounts) account.reserve(need)
  }

  /** Whether the engine kept a warm KV prefix for the session. */
  get kvWarm(): boolean {
    return this.entry.kv_warm
  }

  /** What is left of the tightest budgets. */
  get remaining(): Remaining {
    const now = this.clock.now()
    return tightest(this.accounts.map((account) => account.remaining(now)))
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
  take(onExhausted: () => void): readonly Fact[] {
    if (this.state !== 'waiting' && this.state !== 'suspended') return []
    const again = this.state === 'suspended'
    this.state = 'running'
    const now = this.clock.now()
    for (const account of this.accounts) account.begin(now)
    this.entry.running.add(this)
    this.onExhausted = onExhausted
    this.watchTime()
    if (again) return []
    this.entry.reserved--
    this.entry.stored = true
    this.entry.session = takeTurn(this.entry.session)
    return this.sessionFacts()
  }

  /** The task goes back to the queue: its engine failed before the first token. */
  suspend(): void {
    if (this.state !== 'running') return
    this.state = 'suspended'
    this.stopWatch()
    const now = this.clock.now()
    for (const account of this.accounts) account.end(now)
  }

  /**
   * The task has ended or was never accepted; what it used is booked.
   * @returns what has to be made durable
   */
  leave(used: Usage): readonly Fact[] {
    if (this.state === 'left') return []
    const running = this.state === 'running'
    const waiting = this.state === 'waiting'
    this.state = 'left'
    this.stopWatch()
    const now = this.clock.now()
    if (running) for (const account of this.accounts) account.end(now)
    if (waiting) this.entry.reserved--
    if (!this.entry.stored && this.entry.reserved === 0) this.forget()
    for (const account of this.accounts) account.settle(this.need, used)
    return waiting ? [] : this.sessionFacts()
  }

  private sessionFacts(): readonly Fact[] {
    const { entry } = this
    entry.session = { ...entry.session, spent: entry.account.spent(this.clock.now()) }
    return entry.gone ? [] : [{ kind: 'session_put', session: entry.session }]
  }

  /**
   * Watches the time budgets while the task runs; to be called again when a limit was set anew. Others may begin to run on the same account
   * and use it up sooner: the timer looks again when it rings, and often enough.
   */
  watchTime(): void {
    this.cancelTimer()
    const now = this.clock.now()
    const left = Math.min(...this.accounts.map((account) => account.exhaustedIn(now) ?? Infinity))
    if (left === Infinity) return
    if (left <= 0) {
      this.onExhausted()
      return
    }
    // Whole milliseconds: a smaller rest may not move the clock at all.
    this.cancelTimer = this.clock.after(Math.min(Math.ceil(left), recheck_ms), () => {
      this.watchTime()
    })
  }

  private stopWatch(): void {
    this.entry.running.delete(this)
    this.cancelTimer()
  }
}

/** Longest time a used-up time budget can go unnoticed because other tasks of the account began to run, ms. */
const recheck_ms = 50
