import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import { isExpired, openSession, sessionInfo, takeTurn, turnsLeft, type Session, type SessionInfo, type SessionRules } from '../domain/session.ts'
import type { Clock } from '../ports/clock.ts'
import type { Fact, Journal } from '../ports/journal.ts'
import type { SessionStore } from '../ports/session-store.ts'

/** How often expired sessions are swept, ms. */
const sweep_ms = 60_000

interface Entry {
  session: Session
  /** Accepted tasks that have not been dispatched. */
  reserved: number
  kv_warm: boolean
  /** A task or the start of the daemon has made it durable. */
  stored: boolean
  gone: boolean
}

/** One task's seat in its session: reserved at admission, then either taken at dispatch or given back. */
export interface SessionSeat {
  /** What acceptance has to make durable. */
  readonly facts: readonly Fact[]
  /** Those facts are durable. */
  confirm(): void
  /** The task is dispatched: a turn counts. Returns what has to be made durable. */
  take(): readonly Fact[]
  /** The task ended without being dispatched, or was never accepted. */
  release(): void
  /** Whether the engine kept a warm KV prefix for the session. */
  readonly kvWarm: boolean
  reportKv(warm: boolean): void
}

/** Sessions of all keys: created by their first task, gone when they expire or are deleted. */
export class Sessions {
  private readonly entries = new Map<string, Entry>()
  private readonly rules: SessionRules
  private readonly clock: Clock
  private readonly journal: Pick<Journal, 'commit'>

  constructor(rules: SessionRules, clock: Clock, journal: Pick<Journal, 'commit'>) {
    this.rules = rules
    this.clock = clock
    this.journal = journal
  }

  /** Takes in what is stored and starts to sweep. Returns how to stop. */
  async start(store: SessionStore): Promise<() => void> {
    for (const session of await store.all()) this.entries.set(keyOf(session), { session, reserved: 0, kv_warm: false, stored: true, gone: false })
    await this.sweep()
    return this.clock.every(sweep_ms, () => {
      // A sweep that cannot be made durable is repeated by the next one.
      this.sweep().catch(() => undefined)
    })
  }

  /**
   * Reserves a turn, creating the session if there is none.
   * @param readmit the task was accepted before a restart: its turn is not refused
   * @throws DomainError budget_exhausted where the session has no turn left
   */
  reserve(owner: string, session_id: string, readmit = false): SessionSeat {
    const now = Math.floor(this.clock.now())
    const id = keyOf({ owner, session_id })
    const present = this.entries.get(id)
    const created = present === undefined || isExpired(present.session, now)
    const entry = created ? { session: openSession(owner, session_id, now, this.rules), reserved: 0, kv_warm: false, stored: false, gone: false } : present
    if (!readmit && turnsLeft(entry.session, entry.reserved, this.rules) === 0)
      throw new DomainError('budget_exhausted', `session_id: the session has used its ${this.rules.max_turns} turns; use another session.`)
    if (created) {
      // Tasks that are still in the expired one may not write it over the new one.
      if (present !== undefined) present.gone = true
      this.entries.set(id, entry)
    }
    entry.reserved++
    let open = true
    return {
      facts: entry.stored ? [] : [{ kind: 'session_put', session: entry.session }],
      confirm: () => {
        entry.stored = true
      },
      take: () => {
        if (!open) return []
        open = false
        entry.reserved--
        entry.stored = true
        entry.session = takeTurn(entry.session)
        return entry.gone ? [] : [{ kind: 'session_put', session: entry.session }]
      },
      release: () => {
        if (!open) return
        open = false
        entry.reserved--
        if (!entry.stored && entry.reserved === 0) this.forget(entry)
      },
      get kvWarm() {
        return entry.kv_warm
      },
      reportKv: (warm) => {
        entry.kv_warm = warm
      },
    }
  }

  /** @throws DomainError not_found */
  info(principal: Principal, session_id: string): SessionInfo {
    const entry = this.find(principal, session_id)
    return sessionInfo(entry.session, this.clock.now(), entry.kv_warm)
  }

  /**
   * Ends a session; its tasks go on.
   * @throws DomainError not_found
   */
  async delete(principal: Principal, session_id: string): Promise<void> {
    const entry = this.find(principal, session_id)
    const { owner } = entry.session
    // Gone before it is durable, so that no task writes it anew behind the deletion.
    entry.gone = true
    try {
      await this.journal.commit([{ kind: 'session_deleted', owner, session_id }])
    } catch (error) {
      entry.gone = false
      throw error
    }
    this.forget(entry)
  }

  private find(principal: Principal, session_id: string): Entry {
    const own = this.entries.get(keyOf({ owner: principal.name, session_id }))
    const entry = own ?? (principal.roles.includes('control') ? [...this.entries.values()].find(({ session }) => session.session_id === session_id) : undefined)
    if (entry === undefined || isExpired(entry.session, this.clock.now())) throw new DomainError('not_found', 'No such session.')
    return entry
  }

  private async sweep(): Promise<void> {
    const now = this.clock.now()
    const expired = [...this.entries.values()].filter(({ session }) => isExpired(session, now))
    if (expired.length === 0) return
    for (const entry of expired) entry.gone = true
    await this.journal.commit(expired.map(({ session: { owner, session_id } }) => ({ kind: 'session_deleted', owner, session_id })))
    for (const entry of expired) this.forget(entry)
  }

  private forget(entry: Entry): void {
    entry.gone = true
    const id = keyOf(entry.session)
    if (this.entries.get(id) === entry) this.entries.delete(id)
  }
}

const keyOf = ({ owner, session_id }: Pick<Session, 'owner' | 'session_id'>): string => `${owner}/${session_id}`
