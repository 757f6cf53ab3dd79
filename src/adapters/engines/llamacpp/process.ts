import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../../../ports/engine.ts'
import { environmentOf } from '../process/environment.ts'
import { LineRate, LineSplitter } from '../process/output.ts'
import type { Command, Outcome, ReadyMessage, Report, TokenizerCommand, TokenizerReadyMessage } from './protocol.ts'

/** Time the child has to end by itself after `stop`, milliseconds. */
const STOP_GRACE_MS = 2000

type Sent = Command | TokenizerCommand

/** A call under way. `end` or `fail` is called once, and `text` never after it. */
export interface Call {
  text(piece: string): void
  end(outcome: Outcome): void
  fail(error: EngineError): void
}

/** One run of a child process with llama.cpp in it: from fork to exit. `Ready` is what it says of what it has loaded. */
export class LlamaProcess<Ready extends ReadyMessage | TokenizerReadyMessage> {
  /** Resolves once the process is gone, with the reason. */
  readonly gone: Promise<EngineError>
  /** Share of the KV cache in use, as the child last told. */
  kv_usage: number | undefined
  /** It was killed from outside, by one who looks for memory for example: nothing it did was to blame. */
  killed = false
  private readonly child: ChildProcess
  private readonly calls = new Map<number, Call>()
  private readonly loading = Promise.withResolvers<Ready>()
  private readonly exit = Promise.withResolvers<EngineError>()
  /** What it has said of itself that ends it. */
  private failure: EngineError | undefined
  private lastId = 0
  private state: 'loading' | 'ready' | 'ending' | 'gone' = 'loading'

  /** @param program file that the process runs @param devices all that it sees; everything if empty */
  constructor(program: URL, onOutput: (line: string) => void, devices: readonly number[] = []) {
    this.gone = this.exit.promise
    // Nobody may be waiting when the child dies; whoever does wait still gets the rejection.
    this.loading.promise.catch(() => undefined)
    // JSON and not `advanced`: measured with messages of one to two tokens, both take the same 6 to 7 µs a message on either side.
    this.child = fork(fileURLToPath(program), [], {
      env: environmentOf({ devices }),
      execArgv: [],
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.readOutput(onOutput)
    this.child.on('message', (message) => this.onReport(message as Report<Ready>))
    this.child.on('exit', (code, signal) => {
      this.killed = signal === 'SIGKILL'
      this.onGone(`ended with ${signal ?? `code ${String(code)}`}`)
    })
    // Without a pid there was no process and there will be no `exit`.
    this.child.on('error', (error) => {
      if (this.child.pid === undefined) this.onGone(`could not be started: ${error.message}`)
    })
  }

  get ready(): boolean {
    return this.state === 'ready'
  }

  /** Loads the model. @throws {EngineError} when it does not load, or the process ends before. */
  load(command: Sent): Promise<Ready> {
    this.send(command)
    return this.loading.promise
  }

  /** Starts a call and returns its id. */
  begin(call: Call, commandFor: (id: number) => Sent): number {
    const id = ++this.lastId
    this.calls.set(id, call)
    this.send(commandFor(id))
    return id
  }

  /** Forgets a call whose outcome nobody waits for. */
  forget(id: number): void {
    this.calls.delete(id)
  }

  send(command: Sent): void {
    // Without a process there is no way to it, and `error` follows.
    if (this.child.pid === undefined) return
    // A failed send means that the child is dying: `exit` follows and rejects what waits.
    this.child.send(command, () => undefined)
  }

  /** Ends the process: asks, then kills after 2 s. Calls under way are rejected at once. Resolves when it is gone. */
  async close(reason: EngineError): Promise<void> {
    if (this.state === 'gone') return
    const wasReady = this.state === 'ready'
    this.state = 'ending'
    this.rejectAll(reason)
    const kill = (): void => this.kill()
    // A child that is still loading sits in native code and holds nothing worth an orderly end.
    if (!wasReady) kill()
    else this.send({ type: 'stop' })
    const timer = setTimeout(kill, STOP_GRACE_MS)
    await this.gone
    clearTimeout(timer)
  }

  /** Ends the process at once: what it does is of no use any more. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  private onReport(report: Report<Ready>): void {
    switch (report.type) {
      case 'ready':
        if (this.state === 'loading') this.state = 'ready'
        this.loading.resolve(report)
        return
      case 'failed':
        this.failure = new EngineError(report.message, report)
        this.loading.reject(this.failure)
        if (this.state === 'ready') this.kill()
        return
      case 'text':
        this.onText(report.pieces)
        return
      case 'kv':
        this.kv_usage = report.usage
        return
      default: {
        const call = this.calls.get(report.id)
        this.calls.delete(report.id)
        call?.end(report)
      }
    }
  }

  private onText(pieces: readonly (number | string)[]): void {
    for (let at = 0; at + 1 < pieces.length; at += 2) {
      const [id, text] = [pieces[at], pieces[at + 1]]
      if (typeof id === 'number' && typeof text === 'string') this.calls.get(id)?.text(text)
    }
  }

  private onGone(how: string): void {
    if (this.state === 'gone') return
    this.state = 'gone'
    const reason = this.failure ?? new EngineError(`the llama.cpp process ${how}`, { retriable: true })
    this.rejectAll(reason)
    this.exit.resolve(reason)
  }

  private rejectAll(reason: EngineError): void {
    this.loading.reject(reason)
    const calls = [...this.calls.values()]
    this.calls.clear()
    for (const call of calls) call.fail(reason)
  }

  private readOutput(onOutput: (line: string) => void): void {
    const rate = new LineRate(onOutput)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      const lines = new LineSplitter((line) => rate.push(line))
      stream?.setEncoding('utf8')
      stream?.on('data', (chunk: string) => lines.push(chunk))
      stream?.on('end', () => {
        lines.end()
        rate.flush()
      })
    }
  }
}
