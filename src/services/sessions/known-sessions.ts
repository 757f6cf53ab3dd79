import { Arrivals } from '../../domain/arrivals.ts'
import { OwnedMap } from '../../domain/owned-map.ts'
import type { ReservedSession } from './reserved-session.ts'
import { SessionPlaces } from './places.ts'

/** The sessions that there are, by key and id and in the order in which they came. */
export class KnownSessions {
  /** Those are counted as well that are being written. */
  readonly places: SessionPlaces
  private readonly sessions = new OwnedMap<ReservedSession>()
  private readonly all = new Arrivals<ReservedSession>()
  private readonly ofOwner = new Map<string, Arrivals<ReservedSession>>()
  private arrived = 0

  /** @param mostOf how many sessions a key may have at once */
  constructor(mostOf: (owner: string) => number) {
    this.places = new SessionPlaces(mostOf)
  }

  has(owner: string, session_id: string): boolean {
    return this.get(owner, session_id) !== undefined
  }

  get(owner: string, session_id: string): ReservedSession | undefined {
    return this.sessions.get(owner, session_id)
  }

  values(): Iterable<ReservedSession> {
    return this.sessions.values()
  }

  /** Newest first; everybody's where no owner is named. @param before only those that came before that number */
  newestFirst(owner: string | undefined, before?: number): Iterable<ReservedSession> {
    return (owner === undefined ? this.all : this.ofOwner.get(owner))?.before(before) ?? []
  }

  /** Puts a session in the place of the one that was there, which its tasks may not write any more. */
  enter(entry: ReservedSession): void {
    const { owner, session_id } = entry.session
    const old = this.sessions.get(owner, session_id)
    if (old === entry) return
    if (old === undefined) this.places.count(owner, 1)
    else {
      old.gone = true
      this.unlist(old)
    }
    entry.number = ++this.arrived
    this.sessions.set(owner, session_id, entry)
    this.all.add(entry.number, entry)
    const own = this.ofOwner.get(owner) ?? new Arrivals<ReservedSession>()
    this.ofOwner.set(owner, own)
    own.add(entry.number, entry)
  }

  readonly forget = (entry: ReservedSession): void => {
    entry.gone = true
    const { owner, session_id } = entry.session
    if (!this.sessions.delete(owner, session_id, entry)) return
    this.places.count(owner, -1)
    this.unlist(entry)
  }

  private unlist({ number, session: { owner } }: ReservedSession): void {
    this.all.remove(number)
    const own = this.ofOwner.get(owner)
    own?.remove(number)
    if (own?.size === 0) this.ofOwner.delete(owner)
  }
}
