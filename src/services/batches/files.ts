import { randomUUID } from 'node:crypto'
import { part_chars, type FileRecord } from '../../domain/batches/file.ts'
import type { Upload, UploadedFile } from '../../domain/batches/upload.ts'
import { DomainError, refuseField } from '../../domain/errors.ts'
import { type Clock, wallNow } from '../../ports/clock.ts'
import type { FileFilter, FileStore } from '../../ports/file-store.ts'
import type { Journal } from '../../ports/journal.ts'
import type { CreationLimits } from '../creation-limits.ts'

/** What files work with. */
export interface FilesParts {
  readonly store: FileStore
  readonly journal: Pick<Journal, 'commit'>
  readonly creation: Pick<CreationLimits, 'countRequest' | 'checkRoom'>
  readonly clock: Clock
}

/** Files of requests and of answers. A file is there for its owner alone, and only once it is whole. */
export class Files {
  private readonly parts: FilesParts

  constructor(parts: FilesParts) {
    this.parts = parts
  }

  /** Deletes what uploads and deletions that a crash has cut off have left. @throws StorageError */
  async start(): Promise<void> {
    for (const file of await this.parts.store.incomplete()) await this.erase(file)
  }

  /**
   * Keeps the file of a form, as it comes.
   * @throws DomainError invalid_params naming the field, payload_too_large, rate_limited, pool_unavailable, StorageError
   */
  async create(owner: string, upload: Upload): Promise<FileRecord> {
    let file: FileRecord | undefined
    const { creation } = this.parts
    creation.countRequest(owner)
    creation.checkRoom(owner)
    try {
      const fields = await upload.receive(async (sent) => {
        if (sent.field !== 'file') refuseField(sent.field, 'is not a file; send one as file')
        file = this.record(owner, 'batch', sent.filename)
        await this.put(file)
        file = await this.write(file, sent)
      })
      const whole = file
      if (whole === undefined) refuseField('file', 'is required')
      if (fields.get('purpose') !== 'batch') refuseField('purpose', 'must be batch')
      const complete: FileRecord = { ...whole, state: 'complete' }
      await this.put(complete)
      return complete
    } catch (error) {
      // What cannot be deleted now is deleted by the next start.
      if (file !== undefined) await this.erase(file).catch(() => undefined)
      throw error
    }
  }

  /** A file with nothing in it; it is not written yet. */
  record(owner: string, purpose: FileRecord['purpose'], filename: string): FileRecord {
    const file_id = `file-${randomUUID().replaceAll('-', '')}`
    const created_at = wallNow(this.parts.clock)
    return { owner, file_id, filename, purpose, bytes: 0, parts: 0, created_at, state: 'incomplete' }
  }

  /** @throws DomainError not_found, StorageError */
  async get(owner: string, file_id: string): Promise<FileRecord> {
    const file = await this.find(owner, file_id)
    if (file === undefined) throw new DomainError('not_found', `There is no file ${file_id}; GET /v1/files lists what there is.`)
    return file
  }

  /** The same, undefined where there is none. @throws StorageError */
  async find(owner: string, file_id: string): Promise<FileRecord | undefined> {
    const file = await this.parts.store.get(owner, file_id)
    return file?.state === 'complete' ? file : undefined
  }

  /** Newest first, and whether there are more. @throws StorageError */
  async list(filter: FileFilter): Promise<{ readonly page: readonly FileRecord[]; readonly more: boolean }> {
    const found = await this.parts.store.list({ ...filter, limit: filter.limit + 1 })
    return { page: found.slice(0, filter.limit), more: found.length > filter.limit }
  }

  /** The content of a file, a part at a time. @throws StorageError */
  async *content({ owner, file_id, parts }: FileRecord): AsyncGenerator<string> {
    for (let part = 0; part < parts; part++) {
      const text = await this.parts.store.part(owner, file_id, part)
      if (text === undefined) throw new Error(`part ${part} of ${file_id} is gone: it was deleted while it was read`)
      yield text
    }
  }

  /** Deletes a file: it is gone at once, its content soon. @throws DomainError not_found, StorageError */
  async delete(owner: string, file_id: string): Promise<void> {
    const file = await this.get(owner, file_id)
    await this.put({ ...file, state: 'incomplete' })
    await this.erase(file)
  }

  private async erase({ owner, file_id }: FileRecord): Promise<void> {
    await this.parts.store.clear(owner, file_id)
    await this.parts.journal.commit([{ kind: 'file_deleted', owner, file_id }])
  }

  private put(file: FileRecord): Promise<void> {
    return this.parts.journal.commit([{ kind: 'file_put', file }])
  }

  /** Writes the content part by part: the sender is read no faster than the disk takes it. */
  private async write(file: FileRecord, { content }: UploadedFile): Promise<FileRecord> {
    const { owner, file_id } = file
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    let [text, bytes, parts] = ['', 0, 0]
    const flush = async (): Promise<void> => {
      this.parts.creation.checkRoom(owner, Buffer.byteLength(text))
      await this.parts.journal.commit([{ kind: 'file_part', part: { owner, file_id, part: parts++, text } }])
      text = ''
    }
    for await (const chunk of content) {
      bytes += chunk.length
      text += decoded(decoder, chunk)
      if (text.length >= part_chars) await flush()
    }
    text += decoded(decoder)
    if (text !== '') await flush()
    return { ...file, bytes, parts }
  }
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch (cause) {
    if (cause instanceof TypeError) refuseField('file', 'is not UTF-8')
    throw cause
  }
}
