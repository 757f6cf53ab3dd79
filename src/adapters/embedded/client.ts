import { Worker } from 'node:worker_threads'
import { DuplicateTaskError, StorageError } from '../../ports/journal.ts'
import type { Fact } from '../../ports/journal.ts'
import type { CommitFailure, Failure, FromWorker, Param, Row, ToWorker, WorkerInput } from './protocol.ts'
import { StorageRefusedError } from './refusal.ts'
import { appendFacts } from './rows.ts'

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

const errorOf = (what: string, { message, errcode }: Failure): StorageError =>
  new StorageError(`${what}: ${message}`, { cause: Object.assign(new Error(message), errcode === undefined ? {} : { errcode }) })

/**
 * The main thread's end of the storage worker. Gathers commits while a batch is in flight and sends them as the next one,
 * so that the cost of making things durable is shared by all who wait for it. Never blocks.
 */
export class StorageClient {
  private readonly worker: Worker
  /** The next batch: what to run, where each commit ends in it, and who waits for it. */
  private ops: Param[] = []
  private ends: number[] = []
  private commits: Waiting<void>[] = []
  /** What goes to the worker at the end of this round of the event loop. */
  private outbox: ToWorker[] = []
  /** Requests that must see a commit of the next batch. */
  private held: ToWorker[] = []
  private inFlight: Waiting<void>[] | undefined
  private scheduled = false
  private readonly requests = new Map<number, Waiting<readonly Row[] | number>>()
  private nextId = 0
  /** Why nothing is taken any more. */
  private refusal: StorageError | undefined
  private opening: Waiting<void> | undefined
  private closing: Promise<void> | undefined
  private farewell: 'none' | 'due' | 'sent' = 'none'
  private closeFailure: StorageError | undefined
  private readonly exited: Promise<void>
  private readonly loss = Promise.withResolvers<Error>()
  /** Resolves, with the reason, when the worker ends by itself. */
  readonly lost = this.loss.promise

  /**
   * Starts the worker and has it open the database.
   * @throws StorageRefusedError the file was refused
   * @throws StorageError the worker cannot run
   */
  static async open(input: WorkerInput): Promise<StorageClient> {
    const client = new StorageClient(input)
    await new Promise<void>((resolve, reject) => (client.opening = { resolve, reject }))
    return client
  }

  private constructor(input: WorkerInput) {
    this.worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: 'storage',
      workerData: input,
      // Early Node 24 warns that node:sqlite is experimental; the flag reaches no further than this worker, which runs nothing else.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    this.worker.on('message', (messages: readonly FromWorker[]) => {
      for (const message of messages) this.receive(message)
    })
    this.worker.on('messageerror', (error) => this.fail('the storage worker cannot be understood', error))
    this.worker.on('error', (error) => this.fail('the storage worker crashed', error))
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.fail(`the storage worker has ended (exit code ${code})`)
        resolve()
      })
    })
  }

  /** Writes the facts with the next batch. Rejects as `Journal.commit` says. */
  commit(facts: readonly Fact[]): Promise<void> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal)
    const start = this.ops.length
    try {
      appendFacts(this.ops, facts)
    } catch (error) {
      this.ops.length = start
      return Promise.reject(new StorageError('the facts cannot be written as JSON', { cause: error }))
    }
    this.ends.push(this.ops.length)
    return new Promise((resolve, reject) => {
      this.commits.push({ resolve, reject })
      if (this.scheduled || this.inFlight !== undefined) return
      this.scheduled = true
      // Not at once: what else this round of the event loop accepts belongs to the same batch.
      setImmediate(() => this.pump())
    })
  }

  /** Rows of a reading statement, which sees every commit made before this call. */
  async all(statement: number, params: readonly Param[]): Promise<readonly Row[]> {
    return (await this.request('all', statement, params)) as readonly Row[]
  }

  /** Runs a statement in a transaction of its own, after every commit made before this call; returns how many rows it changed. */
  async run(statement: number, params: readonly Param[]): Promise<number> {
    return (await this.request('run', statement, params)) as number
  }

  /**
   * Takes nothing more, finishes what was taken, closes the database and ends the worker. Further calls share the first one's result.
   * @throws StorageError the database could not be closed properly; commits that were confirmed are durable all the same
   */
  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    this.refusal ??= new StorageError('the storage is closed')
    this.farewell = 'due'
    this.pump()
    await this.exited
    if (this.closeFailure !== undefined) throw this.closeFailure
  }

  private request(op: 'all' | 'run', statement: number, params: readonly Param[]): Promise<readonly Row[] | number> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal)
    const id = this.nextId++
    const message: ToWorker = [op, id, statement, params]
    return new Promise((resolve, reject) => {
      this.requests.set(id, { resolve, reject })
      if (this.commits.length > 0) this.held.push(message)
      else this.send(message)
    })
  }

  /** Messages of one round of the event loop go together: to wake the other thread costs more than most of them ask for. */
  private send(message: ToWorker): void {
    if (this.outbox.push(message) === 1) setImmediate(() => this.flush())
  }

  private flush(): void {
    if (this.outbox.length === 0) return
    this.worker.postMessage(this.outbox)
    this.outbox = []
  }

  /** Sends the next batch unless one is in flight, and the farewell once there is no more to send. */
  private pump(): void {
    this.scheduled = false
    if (this.inFlight !== undefined) return
    if (this.commits.length > 0) {
      this.send(['batch', this.ops, this.ends])
      for (const message of this.held) this.send(message)
      this.inFlight = this.commits
      this.ops = []
      this.ends = []
      this.commits = []
      this.held = []
    } else if (this.farewell === 'due') {
      this.farewell = 'sent'
      this.send(['close'])
    }
    this.flush()
  }

  private receive(message: FromWorker): void {
    switch (message[0]) {
      case 'opened':
        this.opening?.resolve()
        this.opening = undefined
        return
      case 'refused':
        this.opening?.reject(new StorageRefusedError(message[1].message))
        this.opening = undefined
        return
      case 'batch':
        this.settle(message[1])
        return
      case 'closed':
        if (message[1] !== undefined) this.closeFailure = errorOf('the database could not be closed', message[1])
        return
      case 'failed':
        this.take(message[1])?.reject(errorOf('the storage failed', message[2]))
        return
      default:
        this.take(message[1])?.resolve(message[2])
    }
  }

  private settle(failures: readonly CommitFailure[]): void {
    const commits = this.inFlight ?? []
    this.inFlight = undefined
    for (const [index, why] of failures)
      commits[index]?.reject(
        why === 'duplicate' ? new DuplicateTaskError('the owner has this task already') : errorOf('nothing was written', why),
      )
    // Those that were rejected stay so.
    for (const commit of commits) commit.resolve()
    this.scheduled = true
    setImmediate(() => this.pump())
  }

  private take(id: number): Waiting<readonly Row[] | number> | undefined {
    const waiting = this.requests.get(id)
    this.requests.delete(id)
    return waiting
  }

  /** The worker is lost: everything that waits is rejected, and so is everything to come. */
  private fail(message: string, cause?: unknown): void {
    if (this.farewell !== 'sent') this.loss.resolve(new Error(message, { cause }))
    this.refusal ??= new StorageError(message, { cause })
    const waiting = [...(this.inFlight ?? []), ...this.commits, ...this.requests.values()]
    if (this.opening !== undefined) waiting.push(this.opening)
    this.inFlight = undefined
    this.opening = undefined
    this.commits = []
    this.requests.clear()
    for (const one of waiting) one.reject(new StorageError(message, { cause }))
  }
}
