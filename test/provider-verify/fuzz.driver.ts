import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { responseProblems, type Received } from '../harness/contract.ts'
import { keys, type TestDaemon } from '../harness/daemon.ts'
import { settled, type FakeClock } from '../harness/fake-clock.ts'
import { shellProblems } from '../harness/shell-contract.ts'
import { build, methodsOf, type Wire } from './fuzz.build.ts'
import type { Step } from './fuzz.draft.ts'
import { Memory, type Kind } from './fuzz.memory.ts'

/** A request that takes longer hangs. Nothing here waits for real time, so this is far beyond what a slow machine needs. */
const guard_ms = 240_000

interface Heard extends Received {
  /** The client went away before the end. */
  readonly left: boolean
}

/** Plays sequences against a daemon and holds every answer to the contract. */
export class Driver {
  readonly memory = new Memory()
  requests = 0
  /** `operation status` of every answer. */
  readonly reached: Set<string>
  /** Codes of errors, in envelopes and streams. */
  readonly codes: Set<string>
  private readonly daemon: TestDaemon
  private readonly clock: FakeClock
  private readonly agent = new Agent({ keepAlive: true })
  /** What is not answered yet, and what was asked. */
  private readonly open = new Map<Promise<void>, string>()
  private readonly problems: string[] = []
  /** What was given out, and to whom. */
  private readonly seen: [Kind, string, string][] = []
  private readonly trace: string[] = []

  constructor(daemon: TestDaemon, clock: FakeClock, reached: Set<string>, codes: Set<string>) {
    this.daemon = daemon
    this.clock = clock
    this.reached = reached
    this.codes = codes
    for (const { id } of daemon.pools.all()) this.memory.add('pool', id, keys.data)
  }

  /** @throws with the requests that led there, where an answer breaks the contract */
  async play({ drafts, advance_ms }: Step): Promise<void> {
    const sent = drafts.flatMap((draft) => Array.from({ length: draft.copies }, () => this.send(build(draft, this.memory))))
    await Promise.all(sent)
    this.complain()
    if (advance_ms > 0) await this.clock.advance(advance_ms)
  }

  /** Lets time go on until nothing lives any more, then looks at what is left. */
  async drain(): Promise<void> {
    const { live, pools } = this.daemon
    // A slot may be busy after its task has ended: until the engine confirms.
    const predecessors = (): number => pools.serving().length - pools.all().length
    const busy = (): boolean =>
      live.size > 0 || this.open.size > 0 || predecessors() > 0 || pools.all().some(({ slotsBusy }) => slotsBusy > 0)
    for (let seconds = 0; seconds < 4000 && busy(); seconds++) await this.clock.advance(1000)
    if (live.size > 0)
      this.problems.push(
        `${live.size} tasks never ended: ${[...live.all()].map(({ id, phase, accepted }) => `${id} ${phase} in ${accepted.pool_id}`).join(', ')}`,
      )
    for (const pool of pools.serving()) {
      const { running, slotsBusy, scheduler } = pool
      if (running.size + slotsBusy + scheduler.depth() > 0)
        this.problems.push(`pool ${pool.id} is left with ${running.size} running, ${slotsBusy} busy, ${scheduler.depth()} queued`)
    }
    if (predecessors() > 0) this.problems.push(`${predecessors()} predecessors of reloaded pools are not stopped`)
    if (this.open.size > 0) this.problems.push(`${this.open.size} requests are never answered:\n${[...this.open.values()].join('\n')}`)
    this.complain()
    await Promise.all(this.open.keys())
    for (const { id, key } of this.memory.known.task.slice(-60)) {
      await this.send(plain('getTask', `/v1/tasks/${id}`, key, id))
      await this.send(plain('streamTask', `/v1/tasks/${id}/stream`, key, id), false)
    }
    this.complain()
    this.agent.destroy()
  }

  private complain(): void {
    for (const [kind, id, key] of this.seen.splice(0))
      if (!this.maySee(kind, id, key)) this.problems.push(`${key} got ${kind} ${id}, which is not its own`)
    if (this.problems.length > 0) throw new Error(`${this.problems.join('\n')}\n\nThe last requests:\n${this.trace.slice(-25).join('\n')}`)
  }

  /** A stream or a reload stays open beside what comes after it, unless `beside` says otherwise. */
  private async send(wire: Wire, beside = true): Promise<void> {
    const line = `${wire.method} ${wire.path} ${JSON.stringify(wire.headers)} ${wire.payload?.slice(0, 1500) ?? ''}`
    const at = this.trace.push(line) - 1
    this.requests++
    const opened = Promise.withResolvers<undefined>()
    const whole = this.exchange(wire, () => opened.resolve(undefined))
      .then((heard) => {
        this.trace[at] = `${line} -> ${heard.status}`
        for (const problem of this.judge(wire, heard)) this.problems.push(`${problem}\n  in ${line}${this.before(wire)}`)
      })
      .catch((error: unknown) => {
        this.problems.push(`${String(error)}\n  in ${line}${this.before(wire)}`)
      })
      .finally(() => this.open.delete(whole))
    this.open.set(whole, line)
    // A reload is answered when time has gone on.
    if (!beside || (!wire.streams && wire.op !== 'reloadPool')) await whole
    else await Promise.race([wire.op === 'reloadPool' ? settled() : opened.promise, whole])
  }

  /** What was asked about the same thing. */
  private before({ about }: Wire): string {
    if (about === undefined) return ''
    const lines = this.trace.filter((line) => line.includes(about.id))
    return `\n  after\n${lines.slice(0, 25).join('\n')}\n`
  }

  private exchange(wire: Wire, opened: () => void): Promise<Heard> {
    const { method, path, headers, payload, leave, key } = wire
    return new Promise((resolve, reject) => {
      const guard = setTimeout(() => reject(new Error('the request hangs')), guard_ms)
      const finish = (status: number, received: IncomingHttpHeaders, text: string, left: boolean): void => {
        clearTimeout(guard)
        resolve({ status, headers: received, text, left })
      }
      const length = payload === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(payload)) }
      const outgoing = request(
        `${this.daemon.url}/`,
        { agent: this.agent, method, path, headers: { ...headers, ...length } },
        (response) => {
          const { statusCode = 0, headers: received } = response
          let text = ''
          let left = false
          const id = statusCode < 300 ? this.taskOf(wire, received.location) : undefined
          const seen = id === undefined ? undefined : this.memory.find('task', id, key)?.frames
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
            if (statusCode === 200 && seen !== undefined) for (const match of chunk.matchAll(/^id: (.+)$/gm)) seen.add(match[1]!)
            if (!leave || statusCode !== 200 || left) return
            left = true
            response.destroy()
          })
          response.on('end', () => finish(statusCode, received, text, false))
          response.on('error', (error) => {
            if (!left) reject(error)
          })
          response.on('close', () => {
            if (left) finish(statusCode, received, text, true)
          })
          if (statusCode === 200) opened()
        },
      )
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
  }

  private judge(wire: Wire, heard: Heard): string[] {
    const { op, shell, expected, resumed } = wire
    const { status } = heard
    const problems = expected.includes(status)
      ? []
      : [`${op}: ${status} where ${expected.join(' or ')} was due: ${heard.text.slice(0, 500)}`]
    const given = wire.headers['X-Correlation-Id']
    const head = wire.method === 'HEAD'
    const door = shell && heard.text.includes('"error":{')
    problems.push(...shellProblems(heard, given, { allow: status === 405 ? methodsOf(op) : undefined, head, door }))
    if (shell) return problems
    this.reached.add(`${op} ${status}`)
    for (const match of heard.text.matchAll(/"code":"([A-Z_]+)"/g)) this.codes.add(match[1]!)
    if (!heard.left) problems.push(...responseProblems(op, heard, resumed))
    this.remember(wire, heard)
    return problems
  }

  /** The id of the task that an answer is about; takes it in where it is new. */
  private taskOf({ op, key, about, payload = '' }: Wire, location = ''): string | undefined {
    if (op !== 'createTask') return about?.kind === 'task' ? about.id : undefined
    const id = location.slice('/v1/tasks/'.length)
    const { session_id = id } = JSON.parse(payload) as { session_id?: string }
    this.memory.add('task', id, key, payload)
    this.memory.add('session', session_id, key)
    return id
  }

  /** Takes in what an answer tells. */
  private remember(wire: Wire, { status, text, left }: Heard): void {
    const { op, key, about } = wire
    if (status >= 300 || left) return
    const json = text.startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {}
    if (typeof json['next_cursor'] === 'string') this.memory.cursors.push({ cursor: json['next_cursor'], list: wire.list })
    if (op === 'createArtifact') this.memory.add('artifact', String(json['id']), key)
    if (op === 'createCatalogModel') this.memory.add('model', String(json['id']), key)
    if (op === 'putSession') this.memory.add('session', decodeURIComponent(about!.id), key)
    const artifact = /"artifact_id":"(sha256:[0-9a-f]{64})"/.exec(text)?.[1]
    // With the role `control` it may be another key's.
    if (op === 'streamTask' && artifact !== undefined)
      for (const task of this.memory.known.task) if (task.id === about?.id) this.memory.add('artifact', artifact, task.key)
    if (op === 'createTask' && artifact !== undefined) this.memory.add('artifact', artifact, key)
    // What makes it theirs may have been sent together with this.
    if (about !== undefined) this.seen.push([about.kind, decodeURIComponent(about.id), key])
  }

  /** Whoever made it, and whoever has the role `control`; what is not known was made by nobody. */
  private maySee(kind: Kind, id: string, key: string): boolean {
    return kind === 'pool' || kind === 'model' || key === keys.all || this.memory.find(kind, id, key) !== undefined
  }
}

const plain = (op: 'getTask' | 'streamTask', path: string, key: string, id: string): Wire => ({
  op,
  list: '',
  method: 'GET',
  path,
  headers: { 'X-API-Key': key },
  payload: undefined,
  expected: [200, 404],
  shell: false,
  resumed: false,
  leave: false,
  streams: op === 'streamTask',
  key,
  about: { kind: 'task', id },
})
