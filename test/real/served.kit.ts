import type { Engine } from '../../src/ports/engine.ts'
import { keys, patient, startDaemon, type Overrides, type TestDaemon } from '../harness/daemon.ts'
import type { EngineProcess } from '../harness/engine-process.ts'
import { call } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'
import { untilAnswer } from '../harness/wait.ts'

let made = 0

/** The whole daemon in front of one real engine, and what tests ask of both. */
export class Served {
  readonly daemon: TestDaemon
  readonly engine: EngineProcess

  private constructor(daemon: TestDaemon, engine: EngineProcess) {
    this.daemon = daemon
    this.engine = engine
  }

  /**
   * Starts the daemon, which has tried its engine once by then.
   * @param pool fields of the pool beside its id and URL
   * @param ready wait until the pool is ready
   */
  static async start(engine: EngineProcess, pool: Record<string, unknown>, overrides: Overrides = {}, ready = true): Promise<Served> {
    const daemon = await startDaemon({ pools: [{ id: 'box', url: engine.url, timeouts: patient, ...pool }] }, overrides)
    const served = new Served(daemon, engine)
    if (ready) await served.ready()
    return served
  }

  /** Waits until the pool is ready. */
  async ready(): Promise<void> {
    await untilAnswer(
      () => call(this.daemon.url, '/readyz'),
      ({ status }) => status === 200,
    )
  }

  /** The engine as the pool has it. */
  get adapter(): Engine {
    return this.replica.engine
  }

  /** Tasks that run on the engine now, as the daemon counts. */
  get busy(): number {
    return this.replica.busy
  }

  /** What the engine is said to be. */
  async capabilities(): Promise<Readonly<Record<string, unknown>>> {
    const { json } = await call(this.daemon.url, '/v1/capabilities', { key: keys.all })
    return (json['engines'] as Record<string, unknown>[])[0] ?? {}
  }

  /** A figure of a llama-server's own metrics. */
  async gauge(name: string): Promise<number> {
    const { text } = await call(this.engine.url, '/metrics')
    return Number(new RegExp(`^llamacpp:${name} (\\S+)`, 'm').exec(text)?.[1])
  }

  /** Cancels a task that was sent. */
  async cancel({ response }: StreamClient): Promise<void> {
    const { status } = await call(this.daemon.url, `${response.headers['location'] ?? ''}/cancel`, { method: 'POST', key: keys.all })
    if (status !== 204) throw new Error(`cancel: ${status}`)
  }

  /** Sends a task and opens its stream in the same call. */
  send(task: Readonly<Record<string, unknown>>): Promise<StreamClient> {
    return StreamClient.post(this.daemon.url, keys.all, { task_id: `real-${++made}`, ...task })
  }

  /** Sends a task and reads its stream to the end. */
  async run(task: Readonly<Record<string, unknown>>): Promise<StreamClient> {
    const stream = await this.send(task)
    await stream.closed
    return stream
  }

  /** The artifact of an embedding or a rerank. */
  async result(task: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const { terminal } = await this.run(task)
    const { json } = await call(this.daemon.url, `/v1/artifacts/${String(terminal?.data?.['result_artifact_id'])}`, { key: keys.all })
    return JSON.parse(String(json['content'])) as Record<string, unknown>
  }

  async stop(): Promise<void> {
    await this.daemon.stop()
    await this.engine.stop()
  }

  private get replica(): { readonly engine: Engine; readonly busy: number } {
    const replica = this.daemon.pools.find('box')?.replicas[0]
    if (replica === undefined) throw new Error('there is no replica')
    return replica
  }
}
