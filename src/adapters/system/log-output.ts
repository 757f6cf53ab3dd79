import { fstatSync, write } from 'node:fs'
import { Socket } from 'node:net'

/** Writes a text; `done` is called once, with the error where it could not all be written. */
export type Sink = (text: string, done: (error?: Error | null) => void) => void

/** Most of the log that is held while its output takes no more, characters. */
const most_held = 1 << 20

/**
 * Where log lines go. Nobody waits for it: what the output does not take in time is dropped and counted, and the count is the first thing that it
 * is told once it takes lines again.
 */
export class LogOutput {
  private readonly sink: Sink
  private held: string[] = []
  private size = 0
  private busy = false
  private dropped = 0
  private idle: (() => void)[] = []

  constructor(sink: Sink) {
    this.sink = sink
  }

  /** Takes a line, its line feed included. */
  write(line: string): void {
    if (this.size + line.length > most_held) {
      this.dropped++
      return
    }
    this.held.push(line)
    this.size += line.length
    this.pump()
  }

  /** Resolves when all lines are out or dropped, but no later than in `limit_ms`. */
  async flush(limit_ms: number): Promise<void> {
    if (!this.busy) return
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, limit_ms)
      this.idle.push(() => {
        clearTimeout(limit)
        resolve()
      })
    })
  }

  private pump(): void {
    if (this.busy) return
    const { held, dropped } = this
    if (held.length === 0) {
      for (const resolve of this.idle.splice(0)) resolve()
      return
    }
    const text = (dropped === 0 ? '' : droppedLine(dropped)) + held.join('')
    this.held = []
    this.dropped = 0
    this.busy = true
    this.sink(text, (error) => {
      this.busy = false
      this.size = this.held.reduce((sum, line) => sum + line.length, 0)
      if (error !== undefined && error !== null) this.dropped += dropped + held.length
      this.pump()
    })
  }
}

const droppedLine = (dropped: number): string =>
  `${JSON.stringify({ level: 40, time: new Date().toISOString(), event: 'log', dropped, msg: `${dropped} log lines were dropped: their output took no more.` })}\n`

/** A file descriptor as a sink. A pipe is written to without blocking; a file by another thread. */
export function sinkOf(fd: number): Sink {
  const kind = fstatSync(fd)
  if (!kind.isFIFO() && !kind.isSocket()) return (text, done) => writeAll(fd, Buffer.from(text), done)
  const socket = new Socket({ fd, readable: false, writable: true })
  // Each write is told of its error.
  socket.on('error', () => undefined)
  socket.unref()
  return (text, done) => void socket.write(text, done)
}

function writeAll(fd: number, bytes: Buffer, done: (error?: Error | null) => void): void {
  write(fd, bytes, (error, written) => {
    if (error !== null) done(error)
    else if (written < bytes.length) writeAll(fd, bytes.subarray(written), done)
    else done()
  })
}
