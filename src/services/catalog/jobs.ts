import { catalogRef, defaultRetireMs, refusalOf, totalBytes, type CatalogRecord } from '../../domain/catalog/catalog.ts'
import type { Trust } from '../../domain/catalog/trust.ts'
import type { Journal } from '../../ports/journal.ts'
import type { ModelFiles } from '../../ports/model-files.ts'
import { wallNow } from '../../ports/clock.ts'
import { FetchError } from '../../ports/model-source.ts'
import type { EngineName } from '../../domain/task.ts'
import { KeyedMutex } from '../keyed-mutex.ts'
import { fetchModel, fetchSbom, type FetchingParts } from './model-fetching.ts'
import { verifyModel, type VerificationResult } from './model-verification.ts'
import { Semaphore } from '../semaphore.ts'
import { catalogNotice } from './notice.ts'

/** Downloads that run at once. */
const fetches = 4
/** Verifications that run at once: each reads a disk as fast as it can. */
const verifications = 1

/** What follows the catalog: the pools that serve its models. References are `catalog:<id>`. */
export interface CatalogFollower {
  /** Whether a pool has the model loaded, or loads it. */
  inUse(model_ref: string): boolean
  /** Kind of the engine that serves the model; undefined where no pool names it. */
  engineOf(model_ref: string): EngineName | undefined
  /**
   * Lets the pools of the model take nothing more, work off what they have for `deadline_ms`, and then unload it. May come before they were
   * started, and again with another deadline.
   * @param reason what they say of themselves
   */
  unload(model_ref: string, deadline_ms: number, reason: string): Promise<void>
  /** The model may be served: suspended pools of it come up. */
  load(model_ref: string): Promise<void>
}

/** What the catalog works with. */
export interface CatalogParts extends FetchingParts {
  readonly files: ModelFiles
  readonly trust: Trust
  readonly journal: Pick<Journal, 'commit'>
}

/** A model and what is done with it right now. */
export interface CatalogEntry {
  record: CatalogRecord
  /** Bytes of its files on this machine. */
  bytes_done: number
  /** Retired: the moment of the clock until which running tasks may go on, whatever is done to the machine's clock meanwhile. */
  retires_on?: number
  job?: { readonly abort: AbortController; readonly done: Promise<void> }
}

/** Fields of a record that change; undefined takes one away. */
type Changes = { readonly [K in 'state' | 'retire_deadline_at' | 'files' | 'fetch_error' | 'verification']?: CatalogRecord[K] | undefined }

/** Whether a retired model may not even finish its running tasks any more. */
export const isPastRetirement = ({ record: { state }, retires_on = -Infinity }: CatalogEntry, now: number): boolean =>
  state === 'Retired' && retires_on <= now

/** Fetches and verifies models in the background. A job that is cut off leaves the record as it was, so that the next start takes it up. */
export class CatalogJobs {
  private readonly parts: CatalogParts
  private readonly fetching = new Semaphore(fetches)
  private readonly verifying = new Semaphore(verifications)
  private readonly saves = new KeyedMutex()
  private follower: CatalogFollower | undefined
  private closed = false

  constructor(parts: CatalogParts) {
    this.parts = parts
  }

  /** Has somebody follow what becomes of the models from now on. */
  start(follower: CatalogFollower): void {
    this.follower = follower
  }

  /** Nothing is begun from now on. */
  close(): void {
    this.closed = true
  }

  /** Begins the model's job as its record asks for: fetching if its files are not here, then verification. It must not have one. */
  begin(entry: CatalogEntry): void {
    if (this.closed) return
    const abort = new AbortController()
    const { id } = entry.record.request
    const done = this.work(entry, abort.signal)
      .catch((err: unknown) => {
        if (!abort.signal.aborted)
          this.parts.events.emit(
            catalogNotice('error', id, `The work on model ${id} broke off; it is taken up at the next start.`, { err }),
          )
      })
      .finally(() => {
        delete entry.job
      })
    entry.job = { abort, done }
  }

  /** Has a model that was fetched or given up looked at again. @throws StorageError */
  async restart(entry: CatalogEntry): Promise<void> {
    const verification = { status: 'running', started_at: this.now() } as const
    const { files } = entry.record
    if (files === 'failed') await this.save(entry, { files: 'fetching', fetch_error: undefined, verification: undefined })
    else if (files === 'present') await this.save(entry, { verification })
    this.begin(entry)
  }

  /** Cuts the model's job off and waits until nothing of it runs any more. */
  async stop(entry: CatalogEntry, reason: Error): Promise<void> {
    entry.job?.abort.abort(reason)
    await entry.job?.done
  }

  /** Makes a change of a record durable, then visible. @throws StorageError */
  async save(entry: CatalogEntry, changes: Changes): Promise<void> {
    // One after another: each is written with what the one before has changed.
    await this.saves.run(entry.record.request.id, async () => {
      const fields = Object.entries({ ...entry.record, ...changes }).filter(([, value]) => value !== undefined)
      const model = Object.fromEntries(fields) as unknown as CatalogRecord
      await this.parts.journal.commit([{ kind: 'model_put', model }])
      entry.record = model
    })
  }

  /** Has the pools serve the model or unload it, as its record says; they follow on their own. */
  tellPools({ record, retires_on }: CatalogEntry): void {
    const { follower } = this
    if (this.closed || follower === undefined) return
    const { id } = record.request
    const refusal = refusalOf(record)
    const left_ms = retires_on === undefined ? defaultRetireMs : Math.max(0, Math.ceil(retires_on - this.parts.clock.now()))
    const done = refusal === undefined ? follower.load(catalogRef(id)) : follower.unload(catalogRef(id), left_ms, refusal.message)
    done.catch((err: unknown) => this.parts.events.emit(catalogNotice('error', id, `The pools of model ${id} did not follow it.`, { err })))
  }

  private async work(entry: CatalogEntry, signal: AbortSignal): Promise<void> {
    if (entry.record.files === 'fetching' && !(await this.fetching.run(() => this.fetch(entry, signal), signal))) return
    await this.verifying.run(() => this.verify(entry, signal), signal)
  }

  /** Whether the files are here now. */
  private async fetch(entry: CatalogEntry, signal: AbortSignal): Promise<boolean> {
    const { request } = entry.record
    const onBytes = (bytes: number): void => {
      entry.bytes_done = bytes
    }
    try {
      await fetchModel(request, this.parts, onBytes, signal)
    } catch (error) {
      signal.throwIfAborted()
      await this.giveUp(entry, error)
      return false
    }
    entry.bytes_done = totalBytes(request)
    await this.save(entry, { files: 'present', verification: { status: 'running', started_at: this.now() } })
    this.parts.events.emit(
      catalogNotice('info', request.id, `Model ${request.id} is here and is verified now.`, { bytes_total: entry.bytes_done }),
    )
    return true
  }

  private async giveUp(entry: CatalogEntry, error: unknown): Promise<void> {
    const { files, events } = this.parts
    const { id } = entry.record.request
    const kind = error instanceof FetchError ? error.kind : 'io'
    const fetch_error = error instanceof FetchError ? error.message : 'something unexpected; the log has it'
    // What may be continued is kept; what was refused leaves nothing behind.
    if (kind !== 'transient' && kind !== 'io') {
      await files
        .remove(id)
        .catch((err: unknown) => events.emit(catalogNotice('warn', id, `Files of model ${id} could not be removed.`, { err })))
      entry.bytes_done = 0
    }
    events.emit(catalogNotice('error', id, `Model ${id} could not be fetched: ${fetch_error}.`, { kind, err: error }))
    if (kind === 'digest_mismatch' || kind === 'size_mismatch') {
      const now = this.now()
      const verification = { status: 'fail', started_at: now, finished_at: now, reason: kind, message: fetch_error } as const
      await this.save(entry, { files: 'failed', fetch_error, verification })
      this.tell(id, { status: 'fail', reason: kind, message: fetch_error })
    } else await this.save(entry, { files: 'failed', fetch_error })
    this.tellPools(entry)
  }

  private async verify(entry: CatalogEntry, signal: AbortSignal): Promise<void> {
    const { files, trust } = this.parts
    const { request } = entry.record
    const started_at = entry.record.verification?.status === 'running' ? entry.record.verification.started_at : this.now()
    entry.record = { ...entry.record, verification: { status: 'running', started_at } }
    const sbom_error = await fetchSbom(request, this.parts, signal)
    const result = await verifyModel(request, files, trust, sbom_error, signal)
    const verification = { started_at, finished_at: Math.max(started_at, this.now()), ...result }
    try {
      await this.save(entry, { verification })
    } catch (error) {
      // A model that failed is refused even if that cannot be written down; the next start verifies it again.
      entry.record = { ...entry.record, verification }
      throw error
    } finally {
      this.tell(request.id, result)
      // A disk that could not be read says nothing about the model that is loaded.
      if (result.reason !== 'io_error') this.tellPools(entry)
    }
  }

  private tell(id: string, { status, reason, message, warnings = [] }: VerificationResult): void {
    const engine = this.follower?.engineOf(catalogRef(id))
    this.parts.events.emit({ type: 'model_verified', model_id: id, engine, result: status, reason, error: message, warnings })
  }

  private now(): number {
    return wallNow(this.parts.clock)
  }
}
