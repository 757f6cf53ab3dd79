import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { World, setWorldConstructor } from '@cucumber/cucumber'
import { operations } from '../../../generated/operations.ts'
import { envelopeProblems, eventsOf, mismatch, responseProblems, schemaNamed, type OperationId } from '../../harness/contract.ts'
import { mockPool, mockTask, startDaemon, type TestDaemon, type Overrides } from '../../harness/daemon.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { call, type Answer } from '../../harness/http.ts'
import { StreamClient } from '../../harness/sse.ts'
import { frameProblems } from '../../../cli/contract/stream.ts'
import { recordWrites, type Write } from '../../harness/write-order.ts'

/** Who the stories are about: two agents and the person who runs the daemon. */
export const people = {
  Ana: { name: 'ana', key: 'the-key-of-ana', roles: ['data'] },
  Ben: { name: 'ben', key: 'the-key-of-ben', roles: ['data'] },
  'the operator': { name: 'operator', key: 'the-key-of-the-operator', roles: ['data', 'control'] },
} as const

export type Person = keyof typeof people

/** A request of an operation of the contract. */
export interface Ask {
  readonly id?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A task as it was sent. */
export interface SentTask {
  readonly by: Person
  readonly task: Readonly<Record<string, unknown>>
  readonly answer: Answer
}

/**
 * One scenario: a daemon of its own, started by the first request, and what came back from it. Time stands still until a step moves it,
 * unless the scenario runs a real model. Every answer and every frame is held against the contract.
 */
export class Story extends World {
  /** Sections of the configuration file besides `auth` and `pools`. */
  config: Record<string, unknown> = {}
  pools: Record<string, unknown>[] = []
  /** Limits of people's keys. */
  limits: Partial<Record<Person, unknown>> = {}
  /** Replaces the people's keys. */
  auth: Record<string, unknown> | undefined
  overrides: Overrides = {}
  /** Whether engines take their time to load. */
  loads = false
  /** Undefined where a real model keeps its own time. */
  clock: FakeClock | undefined = new FakeClock()
  readonly sent = new Map<string, SentTask>()
  readonly readers = new Map<string, StreamClient[]>()
  /** What the story has made besides the daemon, to be undone at its end. */
  readonly undo: (() => void)[] = []
  /** The request whose answer has not come. */
  pending: Promise<Answer> | undefined
  /** Frames and answers in the order the daemon wrote them. */
  writes: Write[] = []
  private running: TestDaemon | undefined
  private newest: Answer | undefined
  private subject: unknown

  /** The daemon, started if it is not running yet. */
  async daemon(): Promise<TestDaemon> {
    if (this.running !== undefined) return this.running
    const keys = Object.entries(people).map(([person, { name, key, roles }]) => ({
      name,
      key_sha256: sha256(key),
      roles,
      limits: this.limits[person as Person] ?? {},
    }))
    const { clock } = this
    const given = { auth: this.auth ?? { keys }, ...this.config, pools: this.pools.length === 0 ? [mockPool()] : this.pools }
    const starting = startDaemon(given, { ...this.overrides, ...(clock === undefined ? {} : { clock }) })
    this.running = clock !== undefined && this.loads ? await whileTimePasses(starting, clock) : await starting
    this.writes = recordWrites(this.running.server)
    return this.running
  }

  get started(): boolean {
    return this.running !== undefined
  }

  /** The newest answer. */
  get answer(): Answer {
    assert.ok(this.newest, 'nothing has been asked yet')
    return this.newest
  }

  /** What a step can speak of as "it": the newest answer, event or document. */
  get said(): unknown {
    return this.subject
  }

  set said(subject: unknown) {
    this.subject = subject
  }

  hear(answer: Answer): Answer {
    this.newest = answer
    this.subject = answer.json
    return answer
  }

  /** Calls an operation and holds the answer against the contract. */
  async ask(person: Person, op: OperationId, ask: Ask = {}): Promise<Answer> {
    return this.hear(await this.put(person, op, ask))
  }

  /** The same, without making it the newest answer. */
  async put(person: Person, op: OperationId, { id = '', query = {}, headers = {}, body }: Ask = {}): Promise<Answer> {
    const { method, path } = operations[op]
    const search = new URLSearchParams(query).toString()
    const { url } = await this.daemon()
    const { key } = people[person]
    const answer = await call(url, path.replace('{id}', encodeURIComponent(id)) + (search === '' ? '' : `?${search}`), {
      method: method.toUpperCase(),
      key,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    assert.deepEqual(responseProblems(op, answer, headers['Last-Event-ID'] !== undefined), [])
    return answer
  }

  /** A request as it stands, maybe outside of what the contract allows; an error has to be an envelope all the same. */
  async request(path: string, method: string, headers: Record<string, string>, body: string | undefined): Promise<Answer> {
    const { url } = await this.daemon()
    const answer = this.hear(
      body === undefined ? await call(url, path, { method, headers }) : await sendText(`${url}${path}`, method, headers, body),
    )
    if (answer.status >= 400 && path.startsWith('/v1')) {
      assert.equal(mismatch(schemaNamed('ErrorEnvelope'), answer.json), undefined, answer.text)
      assert.deepEqual(envelopeProblems(answer.json, answer.headers), [])
    }
    return answer
  }

  /** Sends a task for the first pool's model; `fields` replace the defaults. */
  async send(by: Person, task_id: string, fields: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const [pool] = this.pools
    const { engine, model, ctx } = { ...mockPool(), ...pool }
    const task = mockTask({ task_id, session_id: `session-of-${task_id}`, engine, model_ref: model, ctx, ...fields })
    const answer = await this.ask(by, 'createTask', { body: task, headers })
    if (answer.status === 202 || !this.sent.has(task_id)) this.sent.set(task_id, { by, task, answer })
    return answer
  }

  /** Sends these fields and no others; the task is known by the id it gets. */
  async sendOnly(by: Person, task: Record<string, unknown>): Promise<Answer> {
    const answer = await this.ask(by, 'createTask', { body: task })
    const id = String(answer.json['task_id'])
    if (answer.status === 202) this.sent.set(id, { by, task: { ...task, task_id: id }, answer })
    return answer
  }

  /** The same, and the stream in the same call; what `sent` knows is the request alone. */
  async stream(by: Person, task: Record<string, unknown> & { readonly task_id: string }): Promise<StreamClient> {
    const { url } = await this.daemon()
    const reader = await StreamClient.post(url, people[by].key, task)
    const { statusCode: status = 0, headers } = reader.response
    const answer = this.hear({ status, headers, text: '', json: {} })
    this.sent.set(task.task_id, { by, task, answer })
    this.readers.set(task.task_id, [...(this.readers.get(task.task_id) ?? []), reader])
    return reader
  }

  sentTask(task_id: string): SentTask {
    const sent = this.sent.get(task_id)
    assert.ok(sent, `task ${task_id} was not sent`)
    return sent
  }

  /** Opens a reader on a task's stream. */
  async open(person: Person, task_id: string, lastEventId?: string): Promise<StreamClient> {
    const { url } = await this.daemon()
    const reader = await StreamClient.open(url, task_id, people[person].key, lastEventId)
    assert.equal(reader.status, 200)
    this.readers.set(task_id, [...(this.readers.get(task_id) ?? []), reader])
    return reader
  }

  /** The newest reader of a task; who sent the task opens one if there is none. */
  async reader(task_id: string): Promise<StreamClient> {
    return this.readers.get(task_id)?.at(-1) ?? this.open(this.sentTask(task_id).by, task_id)
  }

  /** The same after its last frame, each frame held against the contract. */
  async ended(task_id: string): Promise<StreamClient> {
    const reader = await this.reader(task_id)
    await reader.closed
    const frames = reader.frames.filter(({ comment }) => comment === undefined)
    assert.deepEqual(
      frames.flatMap((frame) => frameProblems(frame, eventsOf('streamTask'), mismatch)),
      [],
    )
    return reader
  }

  /** Moves time on. */
  async pass(ms: number): Promise<void> {
    assert.ok(this.clock, 'a real model keeps its own time')
    await this.daemon()
    await this.clock.advance(ms)
  }

  /** Ends the daemon, as it is. */
  async close(): Promise<void> {
    for (const readers of this.readers.values()) for (const reader of readers) reader.drop()
    const stopping = this.running?.stop()
    // On a clock that stands still not even a grace of nothing passes.
    await this.clock?.advance(0)
    await stopping
    for (const undo of this.undo) undo()
  }
}

async function sendText(url: string, method: string, headers: Record<string, string>, body: string): Promise<Answer> {
  const response = await fetch(url, { method, headers, body })
  const text = await response.text()
  return { status: response.status, headers: Object.fromEntries(response.headers), text, json: JSON.parse(text) as Record<string, unknown> }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** For engines that take their time to load. */
async function whileTimePasses<T>(work: Promise<T>, clock: FakeClock): Promise<T> {
  const state = { over: false }
  const end = (): void => {
    state.over = true
  }
  work.then(end, end)
  while (!state.over) await clock.advance(1000)
  return work
}

setWorldConstructor(Story)
