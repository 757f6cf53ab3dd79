import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { stampOf } from './stamp.ts'

/** What a file is, or the code of what went wrong. */
export type DigestAnswer = { readonly digest: string; readonly size_bytes: number; readonly stamp: string } | { readonly failed: string }

/** Bytes read at once; a file of no more than this is read in a few milliseconds. */
export const chunkBytes = 1 << 20

/** Reads a whole file and blocks while it does. */
export function digestFile(path: string): DigestAnswer {
  try {
    return read(path)
  } catch (error) {
    return { failed: error instanceof Error && 'code' in error ? String(error.code) : String(error) }
  }
}

function read(path: string): DigestAnswer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    // Taken first: a file that changes while it is read no longer looks as it does here.
    const before = fstatSync(fd, { bigint: true })
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(chunkBytes)
    let size_bytes = 0
    for (;;) {
      const bytes = readSync(fd, buffer)
      if (bytes === 0) break
      hash.update(buffer.subarray(0, bytes))
      size_bytes += bytes
    }
    return { digest: `sha256:${hash.digest('hex')}`, size_bytes, stamp: stampOf(before) }
  } finally {
    closeSync(fd)
  }
}
