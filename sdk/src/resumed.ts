import { ConnectionError, OrchestratordError } from './errors.ts'
import { framesOf, type Frame } from './frames.ts'
import type { CallOptions, Http } from './http.ts'
import { asConnectionError, Patience, type Timing } from './patience.ts'

/** What streams are made with. */
export interface Link {
  readonly http: Http
  readonly timing: Timing
  readonly patience_ms: number
}

/** An event stream as it comes; nothing where the reader has all of it. */
export type Body = ReadableStream<Uint8Array> | null | undefined

/** A stream that goes on after its connection. */
export interface Resumable {
  readonly signal: CallOptions['signal'] | undefined
  readonly last_event_id: string | undefined
  /** A longer silence means a dead connection, ms. */
  readonly silence_ms: number
  /** Opens the stream after an event, or at its start. */
  readonly open: (last_event_id: string | undefined) => Promise<Body>
  /** Called each time something comes, a comment at least. */
  readonly heard?: (() => void) | undefined
  /** Called each time it is refused or breaks off, before it is tried again. */
  readonly failed?: ((error: OrchestratordError) => void) | undefined
}

/**
 * The frames of a stream; where it breaks off it is opened again after the last one that has an id. Ends where there is nothing to open.
 * @throws ApiError, ConnectionError once patience ends; the signal's reason where it aborts
 */
export async function* resumed(link: Link, stream: Resumable): AsyncGenerator<Frame, void, undefined> {
  const { signal, silence_ms, open, heard, failed } = stream
  const patience = new Patience(link.timing, link.patience_ms)
  let last = stream.last_event_id
  for (;;)
    try {
      const body = await open(last)
      if (body == null) return
      for await (const frame of framesOf(body, silence_ms, heard)) {
        signal?.throwIfAborted()
        patience.restore()
        last = frame.id ?? last
        yield frame
      }
      throw new ConnectionError('The stream broke off.')
    } catch (error) {
      signal?.throwIfAborted()
      const known = asConnectionError(error)
      if (known instanceof OrchestratordError) failed?.(known)
      await patience.wait(known, signal)
    }
}

/** JSON as what it stands for; what is none, of an event that is not known, as it is. */
export function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown
  } catch {
    return data
  }
}
