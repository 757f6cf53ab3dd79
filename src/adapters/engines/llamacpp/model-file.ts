import { createHash } from 'node:crypto'
import { createReadStream, type BigIntStats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { EngineError } from '../../../ports/engine.ts'
import { headerFault } from './gguf-header.ts'
import type { KnownDigest } from './protocol.ts'

/**
 * Looks whether a file can be a model before the library sees it: its own message would not name the cause, and it reads whatever a header claims.
 * @returns what tells this file from a changed one
 * @throws {EngineError} not found, not readable, not a file, not a GGUF
 */
export async function checkModelFile(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new EngineError(`${why}: ${basename(path)}`, { retriable: false, cause })
  }
  const file = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return refuse(code === 'ENOENT' ? 'model file not found' : `cannot open the model file (${code})`, error)
  })
  try {
    const found = await file.stat({ bigint: true })
    if (!found.isFile()) refuse('the model is not a regular file')
    // https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: four bytes of magic, version, two counts.
    const { bytesRead, buffer } = await file.read(Buffer.alloc(24), 0, 24, 0)
    if (bytesRead < 4 || buffer.toString('latin1', 0, 4) !== 'GGUF') refuse('not a GGUF file')
    if (bytesRead < 24) refuse('the model file is corrupt (too short)')
    const fault = headerFault(file.fd, Number(found.size))
    if (fault !== undefined) refuse(`the model file is corrupt (${fault})`)
    return stampOf(found)
  } finally {
    await file.close()
  }
}

const stampOf = ({ dev, ino, size, mtimeNs }: BigIntStats): string => [dev, ino, size, mtimeNs].join(':')

/** Whether there is another file now, or other content in it. One that was only removed is still there for who has it open. */
export async function isChanged(path: string, file: string): Promise<boolean> {
  const now = await stat(path, { bigint: true }).catch(() => undefined)
  return now !== undefined && stampOf(now) !== file
}

/** SHA-256 of a file, read in chunks; the one already known if the file is still the same. */
export async function digestOf(path: string, file: string, known: KnownDigest | null): Promise<KnownDigest> {
  if (known?.file === file) return known
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return { file, digest: hash.digest('hex') }
}
