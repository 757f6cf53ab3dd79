import { RateLimit } from '../domain/accounts/rate-limit.ts'
import type { EventSink } from '../domain/daemon-events.ts'
import { DomainError } from '../domain/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Fact, Journal } from '../ports/journal.ts'
import type { Space } from '../ports/space.ts'

/** How often the disk is looked at, and what is stored counted anew, ms. */
const look_ms = 10_000

/** What one key may create. */
export interface CreationRules {
  readonly requests_per_minute?: number | undefined
  /** What it may keep, bytes. */
  readonly stored_bytes?: number | undefined
}

/** What the limits stand on. */
export interface CreationParts {
  /** By name of the key. */
  readonly limits: ReadonlyMap<string, CreationRules>
  /** Of a key that has no limit of its own, bytes. */
  readonly stored_bytes: number
  /** Nothing new is taken while the disk has less than this, bytes. */
  readonly free_bytes: number
  readonly space: Space
  readonly clock: Clock
  readonly events: EventSink
}

/** What each key may create: how often, how much, and whether there is room on the disk at all. Whatever is written counts, whoever writes it. */
export class CreationLimits {
  private readonly parts: CreationParts
  private readonly rates: ReadonlyMap<string, RateLimit>
  private stored = new Map<string, number>()
  /** What was written since the count that is under way was asked for. */
  private since = new Map<string, number>()
  private free = Infinity
  private short = false
  private counting: Promise<void> | undefined

  constructor(parts: CreationParts) {
    this.parts = parts
    this.rates = new Map(
      [...parts.limits].flatMap(([name, { requests_per_minute: rate }]) => (rate === undefined ? [] : [[name, new RateLimit(rate)]])),
    )
  }

  /** Counts what is stored and goes on to look. Returns how to stop. @throws StorageError */
  async start(): Promise<() => void> {
    await this.count()
    return this.parts.clock.every(look_ms, () => this.countSoon())
  }

  /** A journal whose commits are counted. */
  counted(journal: Journal): Journal {
    const commit = async (facts: readonly Fact[]): Promise<void> => {
      for (const fact of facts) this.add(fact, 1)
      try {
        await journal.commit(facts)
      } catch (error) {
        for (const fact of facts) this.add(fact, -1)
        throw error
      }
      if (facts.some(({ kind }) => kind === 'file_deleted' || kind === 'task_forgotten')) this.countSoon()
    }
    const purge: Journal['purge'] = async (tasks_before, artifacts_before) => {
      await journal.purge(tasks_before, artifacts_before)
      this.countSoon()
    }
    return { ...journal, commit, purge }
  }

  /**
   * Counts a request that creates something against the key's rate. Called once for each, refused ones included.
   * @throws DomainError rate_limited
   */
  countRequest(owner: string): void {
    const wait = this.rates.get(owner)?.take(this.parts.clock.now()) ?? 0
    if (wait === 0) return
    const rate = this.parts.limits.get(owner)?.requests_per_minute ?? 0
    throw limited(`The key ${owner} may send ${rate} requests a minute that create something.`, wait)
  }

  /**
   * Whether there is room for something new of a key.
   * @param bytes of it, as far as they are known
   * @throws DomainError rate_limited where the key keeps too much, pool_unavailable where the disk is nearly full
   */
  checkRoom(owner: string, bytes = 0): void {
    this.checkDisk()
    const most = this.parts.limits.get(owner)?.stored_bytes ?? this.parts.stored_bytes
    const stored = this.stored.get(owner) ?? 0
    if (stored + bytes <= most) return
    throw limited(
      `The key ${owner} may keep ${most} bytes (stored_bytes) of artifacts, transcripts and files, and has ${stored}: delete files, or wait until artifacts are past their retention.`,
      look_ms,
    )
  }

  /** Whether the disk has room for anything new. @throws DomainError pool_unavailable */
  checkDisk(): void {
    const { free_bytes } = this.parts
    if (this.free >= free_bytes) return
    throw new DomainError('pool_unavailable', diskIsShort(free_bytes), { retry_after_ms: look_ms })
  }

  private add(fact: Fact, sign: 1 | -1): void {
    if (fact.kind !== 'artifact' && fact.kind !== 'file_part') return
    const { owner } = fact.kind === 'artifact' ? fact.artifact : fact.part
    const bytes = sign * (fact.kind === 'artifact' ? fact.artifact.size_bytes : Buffer.byteLength(fact.part.text))
    this.stored.set(owner, (this.stored.get(owner) ?? 0) + bytes)
    this.since.set(owner, (this.since.get(owner) ?? 0) + bytes)
    this.free -= bytes
  }

  /** What cannot be counted now is counted by the next look; until then the last count holds, with what was written since. */
  private countSoon(): void {
    this.count().catch((err: unknown) => {
      const message = 'What is stored could not be counted.'
      this.parts.events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    })
  }

  private count(): Promise<void> {
    this.counting ??= this.look().finally(() => (this.counting = undefined))
    return this.counting
  }

  private async look(): Promise<void> {
    const { space, free_bytes } = this.parts
    this.since = new Map()
    const [stored, free] = await Promise.all([space.stored(), free_bytes === 0 ? Infinity : space.free()])
    this.stored = new Map(stored)
    for (const [owner, bytes] of this.since) this.stored.set(owner, (this.stored.get(owner) ?? 0) + bytes)
    this.free = free
    this.tell()
  }

  /** A disk that becomes short of room, or has room again, is a line in the log. */
  private tell(): void {
    const { events, free_bytes } = this.parts
    const short = this.free < free_bytes
    if (short === this.short) return
    this.short = short
    const message = short ? diskIsShort(free_bytes) : 'The disk has room again.'
    events.emit({ type: 'notice', level: short ? 'error' : 'info', event: 'storage', message, fields: { free_bytes: this.free } })
  }
}

const limited = (message: string, retry_after_ms: number): DomainError =>
  new DomainError('rate_limited', message, { retry_after_ms, policy_label: 'rate-limit' })

const diskIsShort = (free_bytes: number): string =>
  `The disk has less than ${free_bytes} bytes free (limits.free_bytes): nothing new is taken.`
