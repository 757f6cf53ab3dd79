import type { CatalogModelRequest, CatalogRecord } from '../../../src/domain/catalog/catalog.ts'
import { Trust } from '../../../src/domain/catalog/trust.ts'
import { StorageError, type Fact } from '../../../src/ports/journal.ts'
import { ModelFileError, type FoundFile, type ModelFiles } from '../../../src/ports/model-files.ts'
import type { ModelSource } from '../../../src/ports/model-source.ts'
import type { LogFields, Metrics } from '../../../src/ports/telemetry.ts'
import { logLines } from '../../../src/services/telemetry/log-lines.ts'
import { meter } from '../../../src/services/telemetry/metrics.ts'
import { Catalog } from '../../../src/services/catalog/catalog.ts'
import { manifestOf, modelRequest } from '../../harness/catalog.ts'
import { strictEvents } from '../../harness/events.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'

const bytes = Buffer.from('a model')
/** The one file of every model. */
export const file = manifestOf('model.gguf', bytes)
/** A model whose file is on this machine. */
export const local = (id = 'm') => modelRequest(id, 'file:model.gguf', [file])
/** A model that is fetched. */
export const remote = (id = 'm') => modelRequest(id, 'hf:org/repo', [file])

/** A catalog between ports that do as they are told. */
export class CatalogBench {
  readonly clock: FakeClock
  readonly store = new Map<string, CatalogRecord>()
  readonly calls: string[] = []
  readonly sentences: string[] = []
  /** What each file is now; a file that is not here is missing. */
  readonly disk = new Map<string, { digest: string; stamp: string }>([['model.gguf', { digest: file.digest, stamp: '1' }]])
  used = false
  broken = false
  fetch: ModelSource['fetch'] = ({ target }) => {
    this.disk.set(target, { digest: file.digest, stamp: '1' })
    return Promise.resolve()
  }
  /** No file can be read. */
  unreadable = false
  /** Awaited before a file is read. */
  reading: Promise<void> = Promise.resolve()
  readonly catalog: Catalog

  constructor(clock = new FakeClock()) {
    this.clock = clock
    const note = (_: LogFields, message: string): void => void this.sentences.push(message)
    const events = strictEvents()
    events.listen(logLines({ info: note, warn: note, error: note }))
    const nothing = (): void => undefined
    const count: Metrics['count'] = (name, labels) => void this.calls.push(`${name} ${Object.values(labels).join(' ')}`)
    events.listen(meter({ count, gauge: nothing, observe: nothing, forget: nothing }))
    this.catalog = new Catalog({
      files: this.files(),
      source: { refusal: () => undefined, fetch: (...args) => this.fetch(...args) },
      trust: new Trust([]),
      ...{ hf_endpoint: 'https://hub.test', jitter: () => 0.5 },
      journal: { commit: (facts) => this.commit(facts) },
      clock: this.clock,
      events,
    })
  }

  start(): Promise<void> {
    const all = (): Promise<CatalogRecord[]> => Promise.resolve([...this.store.values()])
    return this.catalog.start(
      { all },
      {
        inUse: () => this.used,
        engineOf: () => (this.used ? 'llamacpp' : undefined),
        unload: (ref, deadline_ms) => Promise.resolve(void this.calls.push(`unload ${ref} ${deadline_ms}`)),
        load: (ref) => Promise.resolve(void this.calls.push(`load ${ref}`)),
      },
    )
  }

  private async commit(facts: readonly Fact[]): Promise<void> {
    await Promise.resolve()
    if (this.broken) throw new StorageError('full')
    for (const fact of facts)
      if (fact.kind === 'model_put') this.store.set(fact.model.request.id, fact.model)
      else if (fact.kind === 'model_deleted') this.store.delete(fact.id)
  }

  private files(): ModelFiles {
    const find = (path: string): FoundFile => {
      const found = this.disk.get(path)
      if (found === undefined) throw new ModelFileError('missing', `there is no file ${path} below models_dir`)
      return { path: `/models/${path}`, size_bytes: bytes.length, stamp: found.stamp }
    }
    return {
      find: async (path) => Promise.resolve(find(path)),
      digest: async (path, signal) => {
        await this.reading
        signal.throwIfAborted()
        if (this.unreadable) throw new ModelFileError('io', `${path} cannot be read (EIO)`)
        return { ...find(path), digest: this.disk.get(path)?.digest ?? '' }
      },
      remove: (id) => Promise.resolve(void this.calls.push(`remove ${id}`)),
      stored: () => Promise.resolve(['orphan']),
    }
  }

  async created(request: CatalogModelRequest): Promise<void> {
    await this.catalog.create(request)
    await this.idle()
  }

  /** Lets what is under way come to its end. */
  async idle(): Promise<void> {
    for (let i = 0; i < 10; i++) await settled()
  }
}
