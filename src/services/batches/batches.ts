import { randomUUID } from 'node:crypto'
import { become, isOver, type BatchEndpoint, type BatchRecord } from '../../domain/batches/batch.ts'
import { linesOf, type FileRecord } from '../../domain/batches/file.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { DomainError, refuseField } from '../../domain/errors.ts'
import { taskKeyOf } from '../../domain/task.ts'
import type { BatchFilter, BatchStore } from '../../ports/batch-store.ts'
import { type Clock, wallNow } from '../../ports/clock.ts'
import type { Journal } from '../../ports/journal.ts'
import type { CreationLimits } from '../creation-limits.ts'
import type { Cancellation } from '../tasks/cancellation.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import type { AskLine, RefusalOf } from './ask-line.ts'
import { BatchResults } from './batch-results.ts'
import { BatchRun } from './batch-run.ts'
import type { Files } from './files.ts'

/** The one completion window there is, ms. */
const window_ms = 86_400_000

/** How long after an interactive task a batch takes care of others, ms. */
const beside_ms = 5000

/** Batches of one key that may be at work at once. */
const most_batches = 32

/** What batches work with. */
export interface BatchesParts {
  readonly store: BatchStore
  readonly files: Files
  readonly journal: Pick<Journal, 'commit'>
  readonly creation: Pick<CreationLimits, 'countRequest' | 'checkRoom'>
  readonly live: Pick<LiveTasks, 'all' | 'interactive_at'>
  readonly cancellation: Pick<Cancellation, 'cancel'>
  readonly ask: AskLine
  readonly refusalOf: RefusalOf
  readonly clock: Clock
  readonly events: EventSink
  /** Lines of a batch that are at work at once. */
  readonly window: number
  /** Longest line, characters. */
  readonly line_chars: number
}

/** What a client says of a new batch. */
export interface BatchWish {
  readonly endpoint: BatchEndpoint
  readonly input_file_id: string
  readonly metadata: Readonly<Record<string, string>> | null
}

interface Working {
  readonly results: BatchResults
  readonly run: BatchRun
  readonly over: Promise<void>
}

/** Files of requests that are worked off beside everything else, over restarts. */
export class Batches {
  private readonly parts: BatchesParts
  private readonly working = new Map<string, Working>()
  private closed = false

  constructor(parts: BatchesParts) {
    this.parts = parts
  }

  /** Takes up the batches that are not over. @throws StorageError */
  async start(): Promise<void> {
    for (const batch of await this.parts.store.unfinished()) await this.take(batch)
  }

  /** Feeds no more lines; what is at work goes on after the next start. Resolves when nothing of a batch is written any more. */
  async stop(): Promise<void> {
    this.closed = true
    const all = [...this.working.values()]
    for (const { run } of all) await run.close('stopped')
    await Promise.all(all.map(({ over }) => over))
  }

  /** @throws DomainError not_found, rate_limited, invalid_params, StorageError */
  async create(owner: string, { endpoint, input_file_id, metadata }: BatchWish): Promise<BatchRecord> {
    const { files, journal, creation, clock } = this.parts
    if (this.closed) throw new DomainError('pool_unready', 'The daemon is stopping.', { retry_after_ms: 5000 })
    creation.countRequest(owner)
    creation.checkRoom(owner)
    const own = [...this.working.values()].filter(({ results }) => results.batch.owner === owner)
    if (own.length >= most_batches)
      throw new DomainError('rate_limited', `The key ${owner} has ${most_batches} batches at work.`, {
        retry_after_ms: 60_000,
        policy_label: 'rate-limit',
      })
    const input = await files.get(owner, input_file_id)
    if (input.purpose !== 'batch') refuseField('input_file_id', 'is not a file with purpose batch')
    const created_at = wallNow(clock)
    const batch: BatchRecord = {
      ...{ owner, batch_id: `batch_${randomUUID().replaceAll('-', '')}`, endpoint, input_file_id, metadata, created_at },
      ...{ expires_at: created_at + window_ms, status: 'validating', at: {}, problems: [], total: 0, completed: 0, failed: 0 },
      ...{ output_file_id: null, error_file_id: null, next: 0, done: [] },
    }
    await journal.commit([{ kind: 'batch_put', batch }])
    await this.take(batch)
    return batch
  }

  /** @throws DomainError not_found, StorageError */
  async get(owner: string, batch_id: string): Promise<BatchRecord> {
    const batch = this.working.get(taskKeyOf(owner, batch_id))?.results.batch ?? (await this.parts.store.get(owner, batch_id))
    if (batch === undefined) throw new DomainError('not_found', `There is no batch ${batch_id}; GET /v1/batches lists what there is.`)
    return batch
  }

  /** Newest first, and whether there are more. @throws StorageError */
  async list(filter: BatchFilter): Promise<{ readonly page: readonly BatchRecord[]; readonly more: boolean }> {
    const found = await this.parts.store.list({ ...filter, limit: filter.limit + 1 })
    return { page: found.slice(0, filter.limit), more: found.length > filter.limit }
  }

  /** Ends a batch early. Resolves when that is durable; its tasks are cancelled meanwhile. @throws DomainError not_found, conflict, StorageError */
  async cancel(owner: string, batch_id: string): Promise<BatchRecord> {
    const batch = await this.get(owner, batch_id)
    const at = this.working.get(taskKeyOf(owner, batch_id))
    if (at === undefined || isOver(batch)) throw new DomainError('conflict', `The batch is ${batch.status} and cannot be cancelled.`)
    await at.results.change((now) =>
      isOver(now) || now.status === 'cancelling' ? now : become(now, 'cancelling', wallNow(this.parts.clock)),
    )
    const cancelling = at.results.batch
    at.run.close('cancelled').catch((error: unknown) => this.tell(cancelling, error))
    return cancelling
  }

  /** @throws DomainError conflict where a batch at work needs the file */
  checkFree(owner: string, file_id: string): void {
    for (const { results } of this.working.values()) {
      const { batch } = results
      if (batch.owner === owner && [batch.input_file_id, batch.output_file_id, batch.error_file_id].includes(file_id))
        throw new DomainError('conflict', `${batch.batch_id} is at work and needs the file; cancel it first.`)
    }
  }

  private async take(batch: BatchRecord): Promise<void> {
    const { files, journal, clock, ask, refusalOf, window, live } = this.parts
    const { owner } = batch
    const fileOf = async (id: string | null): Promise<FileRecord | undefined> => (id === null ? undefined : files.find(owner, id))
    const outputs = { completed: await fileOf(batch.output_file_id), failed: await fileOf(batch.error_file_id) }
    const results = new BatchResults(batch, outputs, { journal, files, clock, onFailure: (error) => this.tell(batch, error) })
    const lines = () => this.linesOf(batch)
    const beside = (): boolean => clock.now() - live.interactive_at < beside_ms
    const run = new BatchRun({ results, lines, ask, refusalOf, cancelTasks: () => this.cancelTasks(batch), clock, window, beside })
    const key = taskKeyOf(owner, batch.batch_id)
    const over = run
      .work()
      .catch((error: unknown) => this.tell(batch, error))
      .finally(() => this.working.delete(key))
    this.working.set(key, { results, run, over })
  }

  private async *linesOf({ owner, input_file_id }: BatchRecord): AsyncGenerator<{ text: string; number: number }> {
    const { files, line_chars } = this.parts
    let number = 0
    for await (const text of linesOf(files.content(await files.get(owner, input_file_id)), line_chars)) {
      number++
      if (text.trim() !== '') yield { text, number }
    }
  }

  private async cancelTasks({ owner, batch_id }: BatchRecord): Promise<void> {
    const own = [...this.parts.live.all(owner)].filter(({ accepted }) => accepted.task_id.startsWith(`${batch_id}_`))
    await Promise.allSettled(own.map(({ accepted }) => this.parts.cancellation.cancel({ name: owner, roles: ['data'] }, accepted.task_id)))
  }

  private tell({ batch_id, owner }: BatchRecord, err: unknown): void {
    const message = `Batch ${batch_id} has met an error.`
    this.parts.events.emit({ type: 'notice', level: 'error', event: 'batch', message, fields: { batch_id, key_name: owner, err } })
  }
}
