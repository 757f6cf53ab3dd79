import { mkdir, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { Worker } from 'node:worker_threads'
import { storeFolder } from '../../domain/catalog/model-source.ts'
import { codeOf } from '../../domain/errors.ts'
import { ModelFileError, type FoundFile, type ModelFiles, type ReadFile } from '../../ports/model-files.ts'
import { chunkBytes, digestFile, type DigestAnswer } from './digest-file.ts'
import { stampOf } from './stamp.ts'

/** What lies below models_dir. */
export class ModelFolder implements ModelFiles {
  private readonly models_dir: string

  constructor(models_dir: string) {
    this.models_dir = resolve(models_dir)
  }

  async find(path: string): Promise<FoundFile> {
    const real = await this.realPath(path)
    const found = await stat(real, { bigint: true }).catch((cause: unknown) => {
      throw new ModelFileError('io', `${path} cannot be read (${codeOf(cause)})`, { cause })
    })
    if (!found.isFile()) throw new ModelFileError('not_a_file', `${path} is not a file`)
    return { path: real, size_bytes: Number(found.size), stamp: stampOf(found) }
  }

  async digest(path: string, signal: AbortSignal): Promise<ReadFile> {
    const found = await this.find(path)
    signal.throwIfAborted()
    // A thread of its own takes longer to start than a small file to read.
    const answer = found.size_bytes <= chunkBytes ? digestFile(found.path) : await hashInThread(found.path, signal)
    if ('failed' in answer)
      throw new ModelFileError(answer.failed === 'ENOENT' ? 'missing' : 'io', `${path} cannot be read (${answer.failed})`)
    return { path: found.path, ...answer }
  }

  async remove(id: string): Promise<void> {
    try {
      await rm(join(this.models_dir, storeFolder, id), { recursive: true, force: true })
    } catch (cause) {
      throw new ModelFileError('io', `what was fetched for ${id} cannot be removed (${codeOf(cause)})`, { cause })
    }
    // Gone with the last model; not empty or not there is fine.
    await rmdir(join(this.models_dir, storeFolder)).catch(() => undefined)
  }

  async stored(): Promise<string[]> {
    return readdir(join(this.models_dir, storeFolder)).catch(() => [])
  }

  /**
   * Makes the folder of a path that is to be written. Returns the path, absolute.
   * @throws ModelFileError also where a symbolic link leads it elsewhere
   */
  async prepare(path: string): Promise<string> {
    try {
      // The store itself first: below a link, folders would be made where they do not belong.
      await mkdir(join(this.models_dir, storeFolder), { recursive: true, mode: 0o700 })
      const root = await realpath(this.models_dir)
      const target = join(root, path)
      for (const folder of [storeFolder, dirname(path)]) {
        await mkdir(join(root, folder), { recursive: true, mode: 0o700 })
        if ((await realpath(join(root, folder))) !== join(root, folder))
          throw new ModelFileError('outside', `${folder} is a symbolic link; remove it`)
      }
      return target
    } catch (cause) {
      if (cause instanceof ModelFileError) throw cause
      throw new ModelFileError('io', `models_dir cannot be written (${codeOf(cause)})`, { cause })
    }
  }

  /** Walks step by step, so that nothing is learned of what lies behind a link that leads out. */
  private async realPath(path: string): Promise<string> {
    const missing = (cause: unknown): never => {
      const code = codeOf(cause)
      if (noFile.includes(code)) throw new ModelFileError('missing', `there is no file ${path} below models_dir`)
      throw new ModelFileError('io', `${path} cannot be read (${code})`, { cause })
    }
    const root = await realpath(this.models_dir).catch(missing)
    const below = root.endsWith(sep) ? root : root + sep
    let real = root
    for (const step of path.split('/')) {
      real = await realpath(join(real, step)).catch(missing)
      if (!real.startsWith(below)) throw new ModelFileError('outside', `${path} leads out of models_dir by a symbolic link`)
    }
    return real
  }
}

/** Codes of failed system calls that say that there is no such file. */
const noFile = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']

async function hashInThread(path: string, signal: AbortSignal): Promise<DigestAnswer> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<DigestAnswer>()
  const worker = new Worker(new URL('./digest-worker.ts', import.meta.url), { name: 'digest', workerData: { path } })
  const abort = (): void => {
    reject(signal.reason as Error)
  }
  signal.addEventListener('abort', abort, { once: true })
  worker.once('message', settle)
  worker.once('error', reject)
  worker.once('exit', () => {
    settle({ failed: 'error' })
  })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
    await worker.terminate()
  }
}
