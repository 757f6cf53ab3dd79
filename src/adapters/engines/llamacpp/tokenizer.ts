import { EngineError, type Prompt } from '../../../ports/engine.ts'
import { outcomeError } from './calls.ts'
import { type Call, LlamaProcess } from './process.ts'
import type { Outcome, TokenizerLoadCommand, TokenizerReadyMessage } from './protocol.ts'

/** A text to be turned into tokens. */
interface Job {
  readonly prompt: Prompt
  readonly given: string
  readonly count: boolean
  readonly done: (outcome: Outcome) => void
  readonly failed: (error: unknown) => void
  runs: number
}

type TokenizerProcess = LlamaProcess<TokenizerReadyMessage>

const tokenizerChild = new URL('./tokenizer-child.ts', import.meta.url)

/**
 * Turns prompts into tokens in a process of its own, one after the other: so it is known which text it was that ended the process, and one that
 * nobody waits for any more is dropped, or ends with the process. A process that has ended is started anew for the next text.
 */
export class Tokenizer {
  private readonly load: () => Promise<TokenizerLoadCommand>
  private readonly onOutput: (line: string) => void
  private readonly program: URL
  private process: { readonly itself: TokenizerProcess; readonly ready: Promise<TokenizerReadyMessage> } | undefined
  private waiting: Job[] = []
  private current: Job | undefined
  private readonly alive = new Set<TokenizerProcess>()
  private closed: EngineError | undefined

  /**
   * @param load says what to load, at each start of the process
   * @param onOutput gets what the process writes, line by line
   * @param program file that the process runs
   */
  constructor(load: () => Promise<TokenizerLoadCommand>, onOutput: (line: string) => void, program = tokenizerChild) {
    this.load = load
    this.onOutput = onOutput
    this.program = program
  }

  /** Starts the process; without it the first text does. @throws {EngineError} when the model does not load, or the process ends before */
  start(): Promise<TokenizerReadyMessage> {
    return this.running().ready
  }

  /**
   * How many tokens a prompt has.
   * @throws the signal's reason; {EngineError} not retriable where the model cannot take it, or it ends the process again and again
   */
  async count(prompt: Prompt, signal: AbortSignal): Promise<number> {
    const outcome = await this.run({ prompt, given: '', count: true }, signal)
    if (outcome.type !== 'counted') throw outcomeError(outcome)
    return outcome.tokens
  }

  /** The tokens of a prompt and of what is there of its answer. @throws as `count` */
  async encode(prompt: Prompt, given: string, signal: AbortSignal): Promise<readonly number[]> {
    const outcome = await this.run({ prompt, given, count: false }, signal)
    if (outcome.type !== 'encoded') throw outcomeError(outcome)
    return outcome.tokens
  }

  /** Ends the process; what waits is rejected with the reason. Resolves when it is gone. */
  async close(reason: EngineError): Promise<void> {
    this.closed = reason
    const jobs = [...(this.current === undefined ? [] : [this.current]), ...this.waiting]
    this.current = undefined
    this.waiting = []
    for (const job of jobs) job.failed(reason)
    const ended = [...this.alive].map((process) => process.gone)
    for (const process of this.alive) process.kill()
    await Promise.all(ended)
  }

  private async run(text: Pick<Job, 'prompt' | 'given' | 'count'>, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted()
    if (this.closed !== undefined) throw this.closed
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    const job: Job = { ...text, done: resolve, failed: reject, runs: 0 }
    const onAbort = (): void => {
      reject(signal.reason)
      this.drop(job)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.waiting.push(job)
    void this.next()
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Gives the process the next text, unless it has one. */
  private async next(): Promise<void> {
    if (this.current !== undefined) return
    const job = (this.current = this.waiting.shift())
    if (job === undefined) return
    const over = (settle: () => void): void => {
      if (this.current !== job) return
      this.current = undefined
      settle()
      void this.next()
    }
    const { itself, ready } = this.running()
    try {
      await ready
    } catch (error) {
      over(() => job.failed(error))
      return
    }
    if (this.current !== job) return
    job.runs += 1
    const call: Call = {
      text: () => undefined,
      end: (outcome) => over(() => job.done(outcome)),
      fail: ({ message }) =>
        over(() => {
          this.process = undefined
          // Once it may be chance where somebody kills; a crash is the text's own fault.
          if (itself.killed && job.runs === 1) this.waiting.push(job)
          else job.failed(new EngineError(`the model's tokenizer cannot take it, it ends the process: ${message}`, { retriable: false }))
        }),
    }
    const { prompt, given, count } = job
    itself.begin(call, (id) => ({ type: 'encode', id, prompt, given, count }))
  }

  /** Nobody waits for it any more: native code cannot be interrupted, so its process ends with it. */
  private drop(job: Job): void {
    this.waiting = this.waiting.filter((one) => one !== job)
    if (this.current !== job) return
    this.current = undefined
    if (job.runs > 0) {
      this.process?.itself.kill()
      this.process = undefined
    }
    void this.next()
  }

  private running(): NonNullable<typeof this.process> {
    if (this.process !== undefined) return this.process
    const itself: TokenizerProcess = new LlamaProcess(this.program, this.onOutput)
    const started = { itself, ready: this.load().then((command) => itself.load(command)) }
    this.process = started
    this.alive.add(itself)
    // Whoever needs it gets the rejection, and the next one a new process.
    started.ready.catch(() => {
      itself.kill()
      if (this.process === started) this.process = undefined
    })
    void itself.gone.then(() => {
      this.alive.delete(itself)
      if (this.process === started) this.process = undefined
    })
    return started
  }
}
