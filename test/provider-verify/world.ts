import assert from 'node:assert/strict'
import type { EngineServer } from '../engines/http/engine-server.ts'
import { CatalogWorld, manifestOf, modelRequest } from '../harness/catalog.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import type { Answer } from '../harness/http.ts'
import type { Hub } from '../harness/hub.ts'
import { readStream, type StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'

/** The model file that every world has. */
export const bytes = Buffer.from('a model')
let made = 0

/** A request for a local model that is not like any other; `fields` replace the defaults. */
export const localModel = (fields: object = {}): Record<string, unknown> => ({
  ...modelRequest(`m${++made}`, 'file:models/model.gguf', [manifestOf('model.gguf', bytes)]),
  ...fields,
})

/** An artifact that is not like any other. */
export const artifact = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  kind: 'plan',
  content: `step ${++made}`,
  tags: ['draft'],
  metadata: { by: 'the test' },
  ...fields,
})

/** A daemon in a certain state, on a clock that stands still but in `loading`, and what the cases need to put something into it. */
export class World extends CatalogWorld {
  readonly clock = new FakeClock()
  hub: Hub | undefined
  /** The server of its engine, where that is one. */
  server: EngineServer | undefined
  /** A task that waits in a queue, one that runs and one that has ended, where the world begins with them. */
  queuedTask = ''
  runningTask = ''
  endedTask = ''
  /** A response that is stored, where the world begins with one. */
  storedResponse = ''
  /** What was begun and is over only when the daemon stops. */
  private readonly pending: Promise<unknown>[] = []

  override async stop(): Promise<void> {
    const stopped = super.stop()
    // The grace of running tasks.
    await this.clock.advance(1)
    await stopped
    await Promise.all(this.pending)
    await this.hub?.stop()
    await this.server?.stop()
  }

  /** One request that has to be answered so. */
  async must(status: number, method: string, path: string, body?: unknown, key: string = keys.all): Promise<Answer['json']> {
    const answer = await this.ask(method, path, body, key)
    assert.equal(answer.status, status, answer.text)
    return answer.json
  }

  /** Has a task accepted; its id. */
  async task(fields: Record<string, unknown> = {}, key: string = keys.data): Promise<string> {
    const task = mockTask(fields)
    await this.must(202, 'POST', '/v1/tasks', task, key)
    return task.task_id
  }

  /** Has a task accepted that takes so long, and reads its stream to the end. */
  async finished(fields: Record<string, unknown> = {}, takes_ms = 0): Promise<StreamClient & { readonly task_id: string }> {
    const task_id = await this.task(fields)
    await this.clock.advance(takes_ms)
    return Object.assign(await readStream(this.daemon.url, task_id, keys.data), { task_id })
  }

  /** Has a session made that may use this; its id. */
  async session(budgets: Record<string, unknown> = {}): Promise<string> {
    const id = `session-of-${++made}`
    await this.must(200, 'PUT', `/v1/sessions/${id}`, { budgets }, keys.data)
    return id
  }

  drain(pool: string, deadline_ms = 60_000): Promise<unknown> {
    return this.must(202, 'POST', `/v1/pools/${pool}/drain`, { deadline_ms })
  }

  /** Begins a reload that is not done before time moves. */
  async reload(pool: string): Promise<void> {
    const starts = (): number =>
      this.daemon.lines.filter(({ fields }) => fields['event'] === 'replica' && fields['pool_id'] === pool && fields['state'] === 'ready')
        .length
    const before = starts()
    const body = { model_ref: 'mock:next', deadline_ms: 600_000 }
    this.pending.push(this.ask('POST', `/v1/pools/${pool}/reload`, body).catch(() => undefined))
    await until(() => starts() > before)
  }

  /** Stores an artifact; its id. */
  async artifact(): Promise<string> {
    return String((await this.must(201, 'POST', '/v1/artifacts', artifact(), keys.data))['id'])
  }

  /** Has a model registered and fetched or verified, whether that succeeds or not; its id. */
  async model(fields: object = {}): Promise<string> {
    const id = String((await this.must(201, 'POST', '/v1/catalog/models', localModel(fields)))['id'])
    await this.over(id)
    return id
  }
}
