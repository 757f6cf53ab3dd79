import { sameJson } from '../../domain/artifact.ts'
import * as rules from '../../domain/catalog/catalog.ts'
import type { CatalogModel, CatalogModelRequest, CatalogRecord, ModelState } from '../../domain/catalog/catalog.ts'
import { DomainError } from '../../domain/errors.ts'
import type { CatalogStore } from '../../ports/catalog-store.ts'
import { comingMoment, wallNow } from '../../ports/clock.ts'
import { CatalogJobs, isPastRetirement, type CatalogEntry, type CatalogFollower, type CatalogParts } from './jobs.ts'
import { pageOf, viewOf, type ModelPage, type ModelQuery } from './page.ts'
import { servedPath } from './serving.ts'
import { KeyedMutex } from '../keyed-mutex.ts'
import { checkIngest } from './model-ingest.ts'
import { catalogNotice } from './notice.ts'

const stopped = new Error('the daemon stops')
const deleted = new Error('the model is deleted')

/** The models the daemon knows: fetched, verified and retired here, served by pools that name them as `catalog:<id>`. */
export class Catalog {
  private readonly parts: CatalogParts
  private readonly jobs: CatalogJobs
  private readonly entries = new Map<string, CatalogEntry>()
  /** Changes of one model happen one after another. */
  private readonly changes = new KeyedMutex()
  private readonly ingests = new AbortController()
  private newest_seq = 0
  private follower: CatalogFollower | undefined

  constructor(parts: CatalogParts) {
    this.parts = parts
    this.jobs = new CatalogJobs(parts)
  }

  /**
   * Takes in what is stored, removes files nobody knows, and goes on with what was under way when the daemon stopped.
   * @param follower is told what becomes of the models
   */
  async start(store: CatalogStore, follower: CatalogFollower): Promise<void> {
    this.follower = follower
    this.jobs.start(follower)
    const { files, clock, events } = this.parts
    for (const record of await store.all()) {
      const entry: CatalogEntry = { record, bytes_done: record.files === 'present' ? rules.totalBytes(record.request) : 0 }
      if (record.retire_deadline_at !== undefined) entry.retires_on = comingMoment(record.retire_deadline_at, clock)
      this.entries.set(record.request.id, entry)
      this.newest_seq = Math.max(this.newest_seq, record.seq)
      this.tell(record)
    }
    for (const id of await files.stored()) {
      if (this.entries.has(id)) continue
      await files
        .remove(id)
        .catch((err: unknown) =>
          events.emit(catalogNotice('warn', id, `Files of model ${id}, which is not known any more, could not be removed.`, { err })),
        )
    }
    for (const entry of this.entries.values()) {
      const { files: where, verification } = entry.record
      if (where === 'fetching' || (where === 'present' && (verification === undefined || verification.status === 'running')))
        this.jobs.begin(entry)
      if (entry.record.state === 'Retired' && !isPastRetirement(entry, clock.now())) this.jobs.tellPools(entry)
    }
  }

  /** Stops what is under way; it goes on at the next start. */
  async stop(): Promise<void> {
    this.ingests.abort(stopped)
    this.jobs.close()
    await Promise.all([...this.entries.values()].map((entry) => this.jobs.stop(entry, stopped)))
  }

  /**
   * Makes a model known and begins to fetch and verify it; the same request again gives the same model.
   * @throws DomainError invalid_params, untrusted, or conflict where the id is taken by another request or the catalog is full
   */
  async create(request: CatalogModelRequest): Promise<CatalogModel> {
    return this.changes.run(request.id, async () => {
      const { files, journal, clock } = this.parts
      await checkIngest(request, this.parts, this.ingests.signal)
      const { id } = request
      const present = this.entries.get(id)
      if (present !== undefined) {
        if (!sameJson(present.record.request, request))
          throw new DomainError('conflict', `body.id: ${id} is taken by another model; choose another id or delete that one.`)
        return viewOf(present)
      }
      if (this.entries.size >= rules.maxModels)
        throw new DomainError('conflict', `The catalog holds ${rules.maxModels} models; delete one first.`)
      await files.remove(id)
      const local = request.source_url.startsWith('file:')
      const record: CatalogRecord = {
        seq: this.newest_seq + 1,
        request,
        state: 'Active',
        files: local ? 'present' : 'fetching',
        created_at: wallNow(clock),
      }
      this.newest_seq = record.seq
      await journal.commit([{ kind: 'model_put', model: record }])
      const entry: CatalogEntry = { record, bytes_done: local ? rules.totalBytes(request) : 0 }
      this.entries.set(id, entry)
      const { source_url: source, digest } = request
      this.tell(record, `Model ${id} is in the catalog; its files are ${local ? 'local' : 'being fetched'}.`, { source, digest })
      const shown = viewOf(entry)
      this.jobs.begin(entry)
      // A pool may still name a model of this id that was unloaded and deleted.
      this.jobs.tellPools(entry)
      return shown
    })
  }

  /** @throws DomainError not_found */
  get(id: string): CatalogModel {
    return viewOf(this.find(id))
  }

  /** Newest first. */
  list(query: ModelQuery): ModelPage {
    return pageOf(this.entries.values(), query)
  }

  /**
   * Forgets a model and removes what was fetched for it.
   * @throws DomainError not_found; conflict while a pool serves it
   */
  async delete(id: string): Promise<void> {
    await this.changes.run(id, async () => {
      const entry = this.find(id)
      const { files, journal, events } = this.parts
      if (this.follower?.inUse(rules.catalogRef(id)) === true)
        throw new DomainError('conflict', `Model ${id} is served by a pool; retire it or reload the pool with another model first.`)
      await this.jobs.stop(entry, deleted)
      try {
        await journal.commit([{ kind: 'model_deleted', id }])
      } catch (error) {
        this.jobs.begin(entry)
        throw error
      }
      this.entries.delete(id)
      // What cannot be removed now is removed at the next start.
      await files
        .remove(id)
        .catch((err: unknown) => events.emit(catalogNotice('warn', id, `Files of model ${id} could not be removed.`, { err })))
      events.emit({ type: 'model_changed', model_id: id, state: undefined, message: `Model ${id} is forgotten.`, fields: {} })
    })
  }

  /**
   * Begins a verification, or joins the one that runs; what could not be fetched is fetched again first.
   * @throws DomainError not_found; conflict while the model is being fetched
   */
  async verify(id: string): Promise<CatalogModel> {
    return this.changes.run(id, async () => {
      const entry = this.find(id)
      if (entry.record.files === 'fetching' && entry.job !== undefined)
        throw new DomainError('conflict', `Model ${id} is being fetched and is verified when it is here.`)
      if (entry.job === undefined) await this.jobs.restart(entry)
      return viewOf(entry)
    })
  }

  /**
   * Retires a model or brings it back. Resolves when that is durable; the pools follow on their own.
   * @param deadline_ms retired: how long running tasks may go on, ms
   * @throws DomainError not_found
   */
  async setState(id: string, state: ModelState, deadline_ms = rules.defaultRetireMs): Promise<CatalogModel> {
    return this.changes.run(id, async () => {
      const entry = this.find(id)
      const { clock } = this.parts
      const retires_on = clock.now() + deadline_ms
      await this.jobs.save(entry, { state, retire_deadline_at: state === 'Retired' ? wallNow(clock) + deadline_ms : undefined })
      if (state === 'Retired') entry.retires_on = retires_on
      else delete entry.retires_on
      this.jobs.tellPools(entry)
      this.tell(entry.record, `Model ${id} is ${state === 'Retired' ? 'retired: it takes no new tasks' : 'active'}.`, { deadline_ms })
      return viewOf(entry)
    })
  }

  /**
   * Why new tasks may not have this model, if so; references that are not `catalog:` are not refused. model_deprecated where it is retired,
   * conflict where it failed its verification or could not be fetched, pool_unready while it is fetched.
   */
  refusal(model_ref: string): DomainError | undefined {
    const id = rules.catalogIdOf(model_ref)
    const entry = id === undefined ? undefined : this.entries.get(id)
    return entry === undefined ? undefined : rules.refusalOf(entry.record)
  }

  /** Whether new tasks may have this model. @throws DomainError as `refusal` says */
  checkModel(model_ref: string): void {
    const refusal = this.refusal(model_ref)
    if (refusal !== undefined) throw refusal
  }

  /**
   * Whether a pool may be given this model.
   * @throws DomainError not_found, and as `checkModel` says
   */
  checkServable(model_ref: string): void {
    const id = rules.catalogIdOf(model_ref)
    if (id !== undefined) this.find(id)
    this.checkModel(model_ref)
  }

  /**
   * Path of the file an engine loads. Waits for a verification that is due: the first one, one that runs, or a new one where the files
   * no longer look as they did when they passed.
   * @throws DomainError not_found, and as `checkModel` says; a retired model is served until its deadline
   */
  async resolve(id: string): Promise<string> {
    const entry = this.find(id)
    const verifyAgain = (): Promise<void> =>
      this.changes.run(id, async () => {
        if (this.entries.get(id) === entry && entry.job === undefined) await this.jobs.restart(entry)
      })
    return servedPath(entry, this.parts, verifyAgain)
  }

  private find(id: string): CatalogEntry {
    const entry = this.entries.get(id)
    if (entry === undefined) throw new DomainError('not_found', 'No such model in the catalog.')
    return entry
  }

  private tell({ request: { id }, state }: CatalogRecord, message?: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.parts.events.emit({ type: 'model_changed', model_id: id, state, message, fields })
  }
}
