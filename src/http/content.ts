import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { codeOf } from '../domain/errors.ts'

/**
 * Answers with text that comes in pieces, at the reader's pace. A failure on the way cuts the connection; a reader that goes away is none.
 * @throws what the content fails with
 */
export async function sendContent(res: ServerResponse, content: AsyncIterable<string>): Promise<void> {
  res.setHeader('Content-Type', 'application/octet-stream')
  try {
    await pipeline(Readable.from(content), res)
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
}

const isGone = (error: unknown): boolean => codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE'
