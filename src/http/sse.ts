import type { ServerResponse } from 'node:http'
import type { FrameSource } from '../domain/stream/frame-source.ts'
import type { Clock } from '../ports/clock.ts'
import { fairly } from './fair-writes.ts'
import { askBeforeHead, onHalfClosed } from './half-closed.ts'

/** How often a comment keeps an idle connection open, ms. */
const keepAlive_ms = 15_000

/**
 * Most characters handed to the socket at once. With the socket's own buffer a reader that stalls holds less than 256 KiB of ours, also
 * where a character takes three bytes.
 */
const chunk_chars = 64 * 1024

/** Characters of the first write, which waits for nobody: a beginning, or all there is of a short answer. */
const begin_chars = 4 * 1024

/** Ends a chunked body (RFC 9112, section 7.1). */
const lastChunk = '0\r\n\r\n'

/** Longest wait for something to say before the head of an answer goes out, ms: clients wait 60 s and more for it. */
export const head_ms = 15_000

/**
 * Writes frames to a response until the terminal one, at the reader's pace: what the socket does not take stays in the log.
 * The response ends after the terminal frame; a connection that closes closes the source. A source that may be refused is waited for first.
 * @throws DomainError where it is refused
 */
export async function sendStream(res: ServerResponse, source: FrameSource, clock: Clock): Promise<void> {
  const first = source.refusal === undefined ? '' : await firstFrames(res, source, clock)
  if (res.destroyed) return
  const refusal = source.refusal?.()
  if (refusal !== undefined) {
    source.close()
    throw refusal
  }
  writeFrames(res, source, first, clock)
}

/** The first frames there are, or none after a while. A connection that closes meanwhile closes the source. */
async function firstFrames(res: ServerResponse, source: FrameSource, clock: Clock): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let over = false
  const end = (frames: string): void => {
    over = true
    resolve(frames)
  }
  // What comes after the first frames is for whoever writes them.
  const look = (): void => {
    const frames = over ? '' : source.take(begin_chars)
    if (frames !== '' || source.done) end(frames)
  }
  const leave = (): void => {
    source.close()
    end('')
  }
  const cancel = clock.after(head_ms, () => end(''))
  askBeforeHead(res)
  res.once('close', leave)
  source.onReadable(look)
  look()
  try {
    return await promise
  } finally {
    cancel()
    res.off('close', leave)
  }
}

function writeFrames(res: ServerResponse, reader: FrameSource, first: string, clock: Clock): void {
  let writable = true
  let left = false
  let chunked = false
  const write = (frames: string): void => {
    const bytes = Buffer.byteLength(frames)
    writable = res.write(chunked ? `${bytes.toString(16)}\r\n${frames}\r\n` : frames, bytes === frames.length ? 'latin1' : 'utf8')
  }
  const pump = (): number => {
    let written = 0
    while (writable && !reader.done) {
      const frames = reader.take(chunk_chars)
      if (frames === '') break
      write(frames)
      written += frames.length
    }
    if (reader.done && !left && !res.writableEnded) {
      cancelKeepAlive()
      res.end(chunked ? lastChunk : undefined)
    }
    return written
  }
  const sign = (): void => {
    if (writable) write(reader.sign ?? ': keep-alive\n\n')
  }
  const cancelKeepAlive = clock.every(keepAlive_ms, sign)
  // The kernel takes megabytes at once: a reader that is behind waits for the others before each chunk.
  const goOn = (): void => {
    fairly(() => {
      writable = !left
      return pump()
    })
  }
  res.on('drain', goOn)
  const leave = (): void => {
    left = true
    writable = false
    cancelKeepAlive()
    reader.close()
  }
  // A write that meets a connection just broken is an error event; there is nobody left to tell.
  res.on('error', leave)
  res.on('close', leave)
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
  // node:http writes a chunk in four pieces; as one string it costs half as much.
  chunked = res.chunkedEncoding
  res.chunkedEncoding = false
  let due = false
  onHalfClosed(res, sign)
  // What one turn of the event loop brings goes out as one chunk.
  reader.onReadable(() => {
    if (due) return
    due = true
    const run = (): number => {
      due = false
      return pump()
    }
    if (reader.patient === true) fairly(run)
    else queueMicrotask(run)
  })
  const begun = first === '' ? reader.take(begin_chars) : first
  if (begun !== '') write(begun)
  if (begun !== '' && begun.length < begin_chars) pump()
  else
    fairly(() => {
      const written = pump()
      // The head goes out with the first frames; alone only where there are none yet.
      if (begun === '' && written === 0 && !left) res.flushHeaders()
      return written
    })
}
