import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../../domain/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { ModelFileError } from '../../ports/model-files.ts'
import { FetchError, type ModelSource, type WantedFile } from '../../ports/model-source.ts'
import { discard, headerOf, type Answer, type EgressClient } from './egress-client.ts'
import type { ModelFolder } from './model-folder.ts'

/** Silence after which a server is given up for this attempt, ms; noticed within twice of it. */
const idle_ms = 30_000

/** What has been gathered of a file. */
interface Gathered {
  readonly handle: FileHandle
  hash: Hash
  bytes: number
}

/** Files from the net: gathered in a part that a later attempt continues, checked as they stream in, moved to their place as a whole. */
export class Downloads implements ModelSource {
  private readonly client: EgressClient
  private readonly folder: ModelFolder
  private readonly clock: Clock

  constructor(client: EgressClient, folder: ModelFolder, clock: Clock) {
    this.client = client
    this.folder = folder
    this.clock = clock
  }

  refusal(url: string): string | undefined {
    return this.client.refusal(url)
  }

  async fetch(file: WantedFile, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const idle = new AbortController()
    const any = AbortSignal.any([signal, idle.signal])
    let signs = 0
    let seen = -1
    const stop = this.clock.every(idle_ms, () => {
      if (signs === seen) idle.abort(new FetchError('transient', `${file.name}: the server was silent for ${idle_ms} ms`))
      seen = signs
    })
    const report = (bytes: number): void => {
      signs++
      onBytes(bytes)
    }
    try {
      await this.bring(file, report, any)
    } catch (error) {
      if (any.aborted) throw any.reason
      if (error instanceof ModelFileError) throw new FetchError('io', error.message, { cause: error })
      throw error
    } finally {
      stop()
    }
  }

  private async bring(file: WantedFile, report: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const part = await this.folder.prepare(file.part)
    const target = await this.folder.prepare(file.target)
    const handle = await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600).catch((cause: unknown) =>
      unwritable(file, cause),
    )
    try {
      const gathered: Gathered = { handle, hash: createHash('sha256'), bytes: 0 }
      await takeUp(gathered, file, report, signal)
      const resumed = gathered.bytes > 0
      let digest = await this.complete(gathered, file, report, signal)
      if (digest !== file.digest && resumed) {
        // The part may have been of another version: once from the start before it is held against the server.
        await startOver(gathered, report)
        digest = await this.complete(gathered, file, report, signal)
      }
      if (digest !== file.digest)
        throw new FetchError('digest_mismatch', `${file.name}: has digest ${digest}, it was announced as ${file.digest}`)
      await handle.sync().catch((cause: unknown) => unwritable(file, cause))
    } finally {
      await handle.close()
    }
    await moveTo(part, target).catch((cause: unknown) => unwritable(file, cause))
  }

  /** Fetches what is missing; the digest of the whole. */
  private async complete(gathered: Gathered, file: WantedFile, report: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    if (gathered.bytes !== file.size_bytes) {
      const answer = await this.ask(gathered, file, report, signal)
      await drain(answer, gathered, file, report)
    }
    if (file.size_bytes !== undefined && gathered.bytes < file.size_bytes)
      throw new FetchError('transient', `${file.name}: ended after ${gathered.bytes} of ${file.size_bytes} bytes`)
    return `sha256:${gathered.hash.copy().digest('hex')}`
  }

  /** An answer whose body continues the part; where the server does not continue, the part is emptied. */
  private async ask(gathered: Gathered, file: WantedFile, report: (bytes: number) => void, signal: AbortSignal): Promise<Answer> {
    const from = gathered.bytes
    const answer = await this.client.get(file.url, from === 0 ? {} : { Range: `bytes=${from}-` }, signal)
    try {
      if (answer.statusCode === 416 && from > 0) {
        discard(answer)
        await startOver(gathered, report)
        return await this.ask(gathered, file, report, signal)
      }
      if (answer.statusCode === 200 && from > 0) await startOver(gathered, report)
      checkHead(answer, gathered.bytes, file)
      return answer
    } catch (error) {
      discard(answer)
      throw error
    }
  }
}

const unwritable = (file: WantedFile, cause: unknown): never => {
  throw new FetchError('io', `${file.name}: cannot be written below models_dir (${codeOf(cause)})`, { cause })
}

/** Reads what an earlier attempt left, so that its digest can go on from there. */
async function takeUp(
  gathered: Gathered,
  { size_bytes = 0 }: WantedFile,
  report: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { size } = await gathered.handle.stat()
  if (size === 0 || size > size_bytes) return startOver(gathered, report)
  for await (const chunk of gathered.handle.createReadStream({
    start: 0,
    autoClose: false,
    highWaterMark: 1 << 20,
  }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    gathered.hash.update(chunk)
    gathered.bytes += chunk.length
    report(gathered.bytes)
  }
}

async function startOver(gathered: Gathered, report: (bytes: number) => void): Promise<void> {
  await gathered.handle.truncate(0)
  gathered.hash = createHash('sha256')
  gathered.bytes = 0
  report(0)
}

/** Refuses an answer that cannot be the rest of the file before a byte of it is read. */
function checkHead(answer: Answer, from: number, file: WantedFile): void {
  const { statusCode } = answer
  const { name, size_bytes, max_bytes } = file
  if (statusCode !== (from === 0 ? 200 : 206)) {
    const again = statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500
    throw new FetchError(again ? 'transient' : 'refused', `${name}: the server answers ${statusCode}`)
  }
  const encoding = headerOf(answer, 'content-encoding')
  if (encoding !== undefined && encoding !== 'identity')
    throw new FetchError('refused', `${name}: comes with a content encoding, which was not asked for`)
  if (from > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerOf(answer, 'content-range') ?? '')
    if (range?.[1] !== String(from)) throw new FetchError('refused', `${name}: the server continues elsewhere than asked`)
    if (range[2] !== '*' && Number(range[2]) !== size_bytes)
      throw new FetchError('size_mismatch', `${name}: has ${String(range[2])} bytes, it was announced with ${String(size_bytes)}`)
  }
  const length = headerOf(answer, 'content-length')
  if (length === undefined) return
  const whole = from + Number(length)
  if (size_bytes !== undefined && whole !== size_bytes)
    throw new FetchError('size_mismatch', `${name}: has ${whole} bytes, it was announced with ${size_bytes}`)
  if (whole > (size_bytes ?? max_bytes)) throw new FetchError('size_mismatch', `${name}: has ${whole} bytes, more than ${max_bytes}`)
}

async function drain({ body }: Answer, gathered: Gathered, file: WantedFile, report: (bytes: number) => void): Promise<void> {
  const most = file.size_bytes ?? file.max_bytes
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (gathered.bytes + chunk.length > most) throw new FetchError('size_mismatch', `${file.name}: has more than ${most} bytes`)
      await write(gathered, chunk).catch((cause: unknown) => unwritable(file, cause))
      gathered.hash.update(chunk)
      gathered.bytes += chunk.length
      report(gathered.bytes)
    }
  } catch (cause) {
    if (cause instanceof FetchError) throw cause
    throw new FetchError('transient', `${file.name}: the connection broke after ${gathered.bytes} bytes (${codeOf(cause)})`, { cause })
  }
}

async function write({ handle, bytes }: Gathered, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length;) done += (await handle.write(chunk, done, chunk.length - done, bytes + done)).bytesWritten
}

/** Moves a file that is on disk to its place, and does not return before the new name is on disk, too. */
async function moveTo(part: string, target: string): Promise<void> {
  await rename(part, target)
  const folder = await open(dirname(target), constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
