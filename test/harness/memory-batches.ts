import { isOver, type BatchRecord } from '../../src/domain/batches/batch.ts'
import type { FileRecord } from '../../src/domain/batches/file.ts'
import { taskKeyOf } from '../../src/domain/task.ts'
import { usageOf, type Usage } from '../../src/domain/usage.ts'
import type { BatchStore } from '../../src/ports/batch-store.ts'
import type { FileStore } from '../../src/ports/file-store.ts'
import type { Fact } from '../../src/ports/journal.ts'
import type { UsageStore } from '../../src/ports/usage-store.ts'

type InOrder = <T>(job: () => T) => Promise<T>

/** The part of the storage in memory that is about files, batches and usage. */
export class MemoryBatches {
  private readonly fileRecords = new Map<string, FileRecord>()
  private readonly fileParts = new Map<string, Map<number, string>>()
  private readonly batchRecords = new Map<string, BatchRecord>()
  private readonly usageRows: (Usage & { readonly seq: number })[] = []
  private readonly inOrder: InOrder

  constructor(inOrder: InOrder) {
    this.inOrder = inOrder
  }

  readonly files: FileStore = {
    get: (owner, file_id) => this.inOrder(() => this.fileRecords.get(taskKeyOf(owner, file_id))),
    list: ({ owner, purpose, after, limit }) =>
      this.inOrder(() => {
        const all = [...this.fileRecords.values()].filter((file) => file.owner === owner)
        const fits = (file: FileRecord): boolean => file.state === 'complete' && (purpose === undefined || file.purpose === purpose)
        return before(all, ({ file_id }) => file_id === after)
          .filter(fits)
          .slice(0, limit)
      }),
    incomplete: () => this.inOrder(() => [...this.fileRecords.values()].filter(({ state }) => state === 'incomplete')),
    part: (owner, file_id, part) => this.inOrder(() => this.fileParts.get(taskKeyOf(owner, file_id))?.get(part)),
    clear: (owner, file_id) => this.inOrder(() => void this.fileParts.delete(taskKeyOf(owner, file_id))),
  }

  readonly batches: BatchStore = {
    get: (owner, batch_id) => this.inOrder(() => this.batchRecords.get(taskKeyOf(owner, batch_id))),
    list: ({ owner, after, limit }) =>
      this.inOrder(() => {
        const all = [...this.batchRecords.values()].filter((batch) => batch.owner === owner)
        return before(all, ({ batch_id }) => batch_id === after).slice(0, limit)
      }),
    unfinished: () => this.inOrder(() => [...this.batchRecords.values()].filter((batch) => !isOver(batch))),
  }

  readonly usage: UsageStore = {
    list: ({ owner, from = '', to = '9999-12-31', before_seq = Infinity, limit }) =>
      this.inOrder(() =>
        this.usageRows
          .filter((row) => (owner === undefined || row.owner === owner) && row.day >= from && row.day <= to && row.seq < before_seq)
          .reverse()
          .slice(0, limit),
      ),
  }

  /** Bytes of files by owner. */
  stored(): [owner: string, bytes: number][] {
    return [...this.fileParts].map(([key, parts]) => [
      key.slice(0, key.indexOf('/')),
      [...parts.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    ])
  }

  apply(fact: Fact): void {
    if (fact.kind === 'usage') this.use(fact.more)
    else if (fact.kind === 'batch_put') this.batchRecords.set(taskKeyOf(fact.batch.owner, fact.batch.batch_id), fact.batch)
    else if (fact.kind === 'file_put') this.fileRecords.set(taskKeyOf(fact.file.owner, fact.file.file_id), fact.file)
    else if (fact.kind === 'file_deleted') this.fileRecords.delete(taskKeyOf(fact.owner, fact.file_id))
    else if (fact.kind === 'file_part') {
      const key = taskKeyOf(fact.part.owner, fact.part.file_id)
      this.fileParts.set(key, (this.fileParts.get(key) ?? new Map<number, string>()).set(fact.part.part, fact.part.text))
    }
  }

  private use(more: Usage): void {
    const { owner, model_ref, day } = more
    const at = this.usageRows.findIndex((row) => row.owner === owner && row.day === day && row.model_ref === model_ref)
    const known = this.usageRows[at] ?? { ...usageOf({ owner, model_ref, day }), seq: this.usageRows.length + 1 }
    const sums = ['tasks', 'tokens_in', 'tokens_in_cached', 'tokens_out', 'cost_nano', 'refusals'] as const
    const row = { ...known, ...Object.fromEntries(sums.map((sum) => [sum, known[sum] + more[sum]])) }
    if (at < 0) this.usageRows.push(row)
    else this.usageRows[at] = row
  }
}

/** Newest first, from behind the one that is meant on. */
function before<T>(all: readonly T[], isMeant: (one: T) => boolean): T[] {
  const end = all.findIndex(isMeant)
  return all.slice(0, end < 0 ? all.length : end).reverse()
}
