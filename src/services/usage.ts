import type { DaemonListener, EventSink } from '../domain/daemon-events.ts'
import { DomainError } from '../domain/errors.ts'
import { defaultPage } from '../domain/page.ts'
import { ownersListed, type Principal } from '../domain/principal.ts'
import { dayOf, usageOf, type Usage } from '../domain/usage.ts'
import { type CancelTimer, type Clock, wallNow } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import type { UsageStore } from '../ports/usage-store.ts'

/** How long a refusal waits for others to be written with, ms. */
const flush_ms = 5000

/** Which usage to list; days as `2026-01-31`. */
export interface UsageQuery {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Usage as the wire shows it. */
type UsageView = Omit<Usage, 'owner' | 'cost_nano'> & { readonly key: string; readonly cost: number }

/** What usage works with. */
export interface UsageParts {
  readonly store: UsageStore
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * What keys have used. A task's end writes its own usage; refusals are counted here and written together a little later, for an overloaded
 * daemon refuses far more than the disk could take one by one. A crash loses those of the last few seconds.
 */
export class UsageBook {
  private readonly parts: UsageParts
  private readonly refused = new Map<string, Usage>()
  private writing: Promise<void> = Promise.resolve()

  constructor(parts: UsageParts) {
    this.parts = parts
  }

  /** Listens for refusals. */
  readonly listener: DaemonListener = (event) => {
    if (event.type === 'task_refused') this.refuse(event.task.owner, event.model_ref, 1)
  }

  /** Writes refusals now and then. Returns how to stop. */
  start(): CancelTimer {
    return this.parts.clock.every(flush_ms, () => void this.flush())
  }

  /** Writes the refusals that are only counted yet; those that cannot be written are tried again later. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write())
    return this.writing
  }

  /** Newest first. @throws DomainError invalid_params, StorageError */
  async list(principal: Principal, query: UsageQuery): Promise<{ usage: UsageView[]; next_cursor?: string }> {
    const { from, to, limit = defaultPage, cursor } = query
    if (from !== undefined && to !== undefined && from > to)
      throw new DomainError('invalid_params', 'query.from: must not be after query.to')
    await this.flush()
    const owner = ownersListed(principal)
    const rows = await this.parts.store.list({
      ...(owner === undefined ? {} : { owner }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(cursor === undefined ? {} : { before_seq: Number(cursor) }),
      limit: limit + 1,
    })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { usage: page.map(viewOf), ...(rows.length > limit && last !== undefined ? { next_cursor: String(last.seq) } : {}) }
  }

  private refuse(owner: string, model_ref: string, refusals: number, day = dayOf(wallNow(this.parts.clock))): void {
    const key = `${owner} ${day} ${model_ref}`
    const known = this.refused.get(key) ?? usageOf({ owner, model_ref, day })
    this.refused.set(key, { ...known, refusals: known.refusals + refusals })
  }

  private async write(): Promise<void> {
    const due = [...this.refused.values()]
    if (due.length === 0) return
    this.refused.clear()
    try {
      await this.parts.journal.commit(due.map((more) => ({ kind: 'usage', more })))
    } catch (err) {
      for (const { owner, model_ref, refusals, day } of due) this.refuse(owner, model_ref, refusals, day)
      const message = 'Counted refusals cannot be written; it is tried again.'
      this.parts.events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    }
  }
}

function viewOf({ owner, model_ref, day, cost_nano, ...sums }: Usage): UsageView {
  const { tasks, tokens_in, tokens_in_cached, tokens_out, refusals } = sums
  return { key: owner, model_ref, day, tasks, tokens_in, tokens_in_cached, tokens_out, cost: cost_nano / 1e9, refusals }
}
