import type { Dispatcher } from 'undici'
import { untraced } from '../../../domain/errors.ts'
import type { CancelTimer, Clock } from '../../../ports/clock.ts'
import { connectionFault, statusFault, type EngineFault } from './faults.ts'

/** Takes the body of an answer with a status of success. */
export interface Sink {
  /** Whether the answer is complete: what comes after that is of no interest. @throws EngineFault where it can be no answer */
  data(chunk: Buffer): boolean
  /** The body has ended well-formed. @throws EngineFault where the answer is not complete */
  end(): void
}

/** What is kept of a body that tells an error, bytes. */
const error_bytes = 65_536
/** How long a server may take to end a body whose answer is complete, ms; then the connection is closed. */
const grace_ms = 1000
/** What a call is closed with that is told nobody. */
const over = new Error('the call is over')

/** One call on its connection, until the answer is complete or has failed; `done` settles once. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<undefined>
  /** The connection stood and was closed before anything of an answer had come. */
  unanswered: EngineFault | undefined
  private readonly sink: Sink
  private readonly redact: (text: string) => string
  private readonly clock: Clock
  private readonly resolve: () => void
  private readonly reject: (reason: unknown) => void
  private controller: Dispatcher.DispatchController | undefined
  private over = false
  private closed = false
  private status = 0
  private again_ms: number | undefined
  private readonly error: Buffer[] = []
  private error_size = 0
  private cancelGrace: CancelTimer = () => undefined

  /** @param redact takes secrets out of what is kept for the log */
  constructor(sink: Sink, redact: (text: string) => string, clock: Clock) {
    this.sink = sink
    this.redact = redact
    this.clock = clock
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    this.done = promise
    this.resolve = () => resolve(undefined)
    this.reject = reject
  }

  /** Closes the connection at once: that is the cancel of every engine. `done` rejects with the reason. */
  abort(reason: unknown): void {
    if (this.over) return
    this.over = true
    this.close()
    this.reject(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.closed) controller.abort(over)
  }

  onResponseStart(_controller: unknown, status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.status = status
    const seconds = Number(headers['retry-after'])
    if (seconds >= 0) this.again_ms = seconds * 1000
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.over) return
    if (this.failed) {
      if (this.error_size < error_bytes) this.error.push(chunk)
      this.error_size += chunk.length
      return
    }
    try {
      if (this.sink.data(chunk)) this.complete()
    } catch (error) {
      this.abort(error)
    }
  }

  onResponseEnd(): void {
    this.cancelGrace()
    if (this.over) return
    if (this.failed) {
      this.abort(this.statusFault())
      return
    }
    try {
      this.sink.end()
      this.over = true
      this.resolve()
    } catch (error) {
      this.abort(error)
    }
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.cancelGrace()
    if (this.over) return
    this.over = true
    const fault = connectionFault(error)
    if (this.status === 0 && fault.kind === 'broken') this.unanswered = fault
    this.reject(fault)
  }

  private get failed(): boolean {
    return this.status < 200 || this.status > 299
  }

  private statusFault(): EngineFault {
    return statusFault(this.status, this.redact(Buffer.concat(this.error).toString().slice(0, error_bytes)), this.again_ms)
  }

  /** The connection is given back when the server ends the body, as it does at once. */
  private complete(): void {
    this.over = true
    this.resolve()
    this.cancelGrace = this.clock.after(grace_ms, () => this.close())
  }

  private close(): void {
    this.closed = true
    // undici makes an error of its own for each, and a socket that is closed with one writes down its stack.
    untraced(() => this.controller?.abort(over))
  }
}
