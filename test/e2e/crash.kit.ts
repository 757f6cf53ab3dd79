import assert from 'node:assert/strict'
import { call } from '../harness/http.ts'
import { DaemonProcess } from '../harness/process.ts'
import { StreamClient } from '../harness/sse.ts'

const key = 'valid'

/** What a reader has got of a task, over all its connections. */
export interface Followed {
  /** Token frames, `id data`, in the order in which they came. */
  readonly tokens: string[]
  /** Terminal frames. */
  readonly ends: { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[]
  connections: number
  /** The newest connection, whose frames are among the others when it has ended. */
  newest?: StreamClient
}

/** A daemon that is started again and again on the same data, and clients that do not mind. */
export class Lives {
  count = 0
  /** Terminal frames that readers got in the present life, by task. */
  readonly ended = new Set<string>()
  private readonly dir: string
  private readonly config: Readonly<Record<string, unknown>>
  private running: DaemonProcess | undefined
  private listens = Promise.withResolvers<string>()

  constructor(dir: string, config: Readonly<Record<string, unknown>>) {
    this.dir = dir
    this.config = config
  }

  /** Where the present life listens, or the next one if there is none. */
  get url(): Promise<string> {
    return this.listens.promise
  }

  /** Begins the next life; resolves when it listens, which is before its engines are up. */
  async begin(): Promise<DaemonProcess> {
    this.count++
    this.ended.clear()
    const daemon = (this.running = DaemonProcess.spawn(this.dir, { config: this.config }))
    await daemon.line(({ event }) => event === 'start')
    this.listens.resolve(daemon.url)
    return daemon
  }

  /** Ends the present life. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { running } = this
    assert.ok(running !== undefined)
    this.listens = Promise.withResolvers()
    const exit = await running.stop(signal)
    assert.deepEqual(exit, signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal })
    assert.equal(running.stderr, '')
    assert.deepEqual(
      running.lines.filter(({ level }) => Number(level) >= 50),
      [],
      'nothing that is an error',
    )
  }

  /** Nothing is left of the present life, also where a test has failed in the middle of it. */
  async abandon(): Promise<void> {
    await this.running?.stop('SIGKILL')
  }

  /** Posts a task until it is accepted, however often the daemon goes away meanwhile. */
  async post(task: Readonly<Record<string, unknown>>): Promise<void> {
    for (;;) {
      const answer = await this.listens.promise
        .then((url) => call(url, '/v1/tasks', { method: 'POST', key, body: task }))
        .catch(() => undefined)
      if (answer?.status === 202) return
      // Not up yet, or stopping.
      assert.ok(answer === undefined || answer.status === 503, answer?.text)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Reads a task to its end; each time the connection breaks the reader comes back with the last id it has. @param followed is filled on the way */
  async follow(task_id: string, followed: Followed = { tokens: [], ends: [], connections: 0 }): Promise<Followed> {
    let last: string | undefined
    while (followed.ends.length === 0) {
      const url = await this.listens.promise
      const reader = await StreamClient.open(url, task_id, key, last).catch(() => undefined)
      if (reader === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      assert.equal(reader.status, 200, `${task_id} from ${last ?? 'the start'}`)
      followed.connections++
      followed.newest = reader
      await reader.closed.catch(() => undefined)
      for (const { id, event, data } of reader.frames) {
        if (event === 'token') followed.tokens.push(`${id ?? ''} ${JSON.stringify(data)}`)
        if (event === 'end' || event === 'error') followed.ends.push({ event, data: data ?? {} })
        last = id ?? last
      }
    }
    this.ended.add(task_id)
    // Whoever has everything is told so.
    const after = await this.listens.promise.then((url) => StreamClient.open(url, task_id, key, 'end')).catch(() => undefined)
    if (after !== undefined) assert.equal(after.status, 204)
    return followed
  }
}
