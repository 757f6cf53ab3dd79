/** One frame of an event stream, its data as text. */
export interface Frame {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

/**
 * The whole frames of an event stream (HTML, section 9.2.6), until it ends, breaks or is silent for too long; what is incomplete then is
 * dropped. Leaving the loop closes the connection. eventsource-parser would do it, too, but has 6.6 kB,
 * gzipped as it is published, where this whole file has 1.1 kB: a page would load more than its 15 kB.
 * @param silence_ms the daemon sends something now and then, a comment at least: a longer silence means a dead connection
 * @param heard called each time something comes
 * @throws what the platform throws where the connection breaks
 */
export async function* framesOf(
  body: ReadableStream<Uint8Array>,
  silence_ms: number,
  heard?: () => void,
): AsyncGenerator<Frame, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  let frame = new Draft()
  for await (const chunk of chunksOf(body, silence_ms)) {
    heard?.()
    // A carriage return at the end may be half of a line's end.
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?=[^])/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') frame.take(line)
      else {
        const { event, id, data } = frame
        frame = new Draft()
        if (data !== undefined) yield { event, id, data }
      }
    }
  }
}

/** A frame that is being read. */
class Draft {
  event = 'message'
  id: string | undefined
  data: string | undefined

  take(line: string): void {
    const colon = line.indexOf(':')
    const [field, value] = colon === -1 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
    if (field === 'data') this.data = this.data === undefined ? value : `${this.data}\n${value}`
    else if (field === 'event') this.event = value
    else if (field === 'id') this.id = value
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>, silence_ms: number): AsyncGenerator<Uint8Array, void, undefined> {
  // Not every browser iterates a stream by itself.
  const reader = body.getReader()
  const close = (): void => void reader.cancel().catch(() => undefined) // A broken connection has nothing to close.
  try {
    for (;;) {
      const timer = setTimeout(close, silence_ms)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      yield value
    }
  } finally {
    close()
  }
}
