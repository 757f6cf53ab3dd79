import { Arrivals } from '../../domain/arrivals.ts'
import type { Session } from '../../domain/accounts/session.ts'
import type { ReservedSession } from './reserved-session.ts'
import { SessionPlaces } from './places.ts'

/** The sessions that there are, by key and id and in the order in which they came. */
export class KnownSessions {
  /** Those are counted as well that are being written. */
  readonly places: SessionPlaces
  private readonly entries = new Map<string, ReservedSession>()
  private readonly all = new Arrivals<ReservedSession>()
  private readonly ofOwner = new Map<string, Arrivals<ReservedSession>>()
  private arrived = 0

  /** @param mostOf how many sessions a key may have at once */
  constructor(mostOf: (owner: string) => number) {
    this.places = new SessionPlaces(mostOf)
  }

  has(id: string): boolean {
    return this.entries.has(id)
  }

  /** @param id of the key and the session, @see keyOf */
  get(id: string): ReservedSession | undefined {
    return this.entries.get(id)
  }

  values(): Iterable<ReservedSession> {
    return this.entries.values()
  }

  /** Newest first; everybody's where no owner is named. @param before only those that came before that number */
  newestFirst(owner: string | undefined, before?: number): Iterable<ReservedSession> {
    return (owner === undefined ? this.all : this.ofOwner.get(owner))?.before(before) ?? []
  }

  /** Puts a session in the place of the one that was there, which its tasks may not write any more. */
  enter(id: string, entry: ReservedSession): void {
    const old = this.entries.get(id)
    if (old === entry) return
    const { owner } = entry.session
    if (old === undefined) this.places.count(owner, 1)
    else {
      old.gone = true
      this.unlist(old)
    }
    entry.number = ++this.arrived
    this.entries.set(id, entry)
    this.all.add(entry.number, entry)
    const own = this.ofOwner.get(owner) ?? new Arrivals<ReservedSession>()
    this.ofOwner.set(owner, own)
    own.add(entry.number, entry)
  }

  readonly forget = (entry: ReservedSession): void => {
    entry.gone = true
    const id = keyOf(entry.session)
    if (this.entries.get(id) !== entry) return
    this.entries.delete(id)
    this.places.count(entry.session.owner, -1)
    this.unlist(entry)
  }

  private unlist({ number, session: { owner } }: ReservedSession): void {
    this.all.remove(number)
    const own = this.ofOwner.get(owner)
    own?.remove(number)
    if (own?.size === 0) this.ofOwner.delete(owner)
  }
}

/** What a session is known by. */
export const keyOf = ({ owner, session_id }: Pick<Session, 'owner' | 'session_id'>): string => `${owner}/${session_id}`
