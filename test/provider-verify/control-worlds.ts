import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { until } from '../harness/wait.ts'
import { authWith, pricedPool } from '../e2e/budgets.kit.ts'
import { accepted } from '../e2e/pools.kit.ts'

/** A daemon on a clock that stands still, in a certain state. */
export class ControlWorld {
  readonly daemon: TestDaemon
  readonly clock: FakeClock
  /** What was begun and is over only when the daemon stops. */
  private readonly pending: Promise<unknown>[] = []

  constructor(daemon: TestDaemon, clock: FakeClock) {
    this.daemon = daemon
    this.clock = clock
  }

  /** One request that has to be answered so. */
  async ask(method: string, path: string, key: string, body: unknown, status: number): Promise<Readonly<Record<string, unknown>>> {
    const answer = await call(this.daemon.url, path, { method, key, ...(body === undefined ? {} : { body }) })
    assert.equal(answer.status, status, answer.text)
    return answer.json
  }

  /** Has a session made that may use this; its id. */
  async session(budgets: Record<string, unknown>, key: string = keys.data): Promise<string> {
    const id = `session-of-${++made}`
    await this.ask('PUT', `/v1/sessions/${id}`, key, { budgets }, 200)
    return id
  }

  /** Has a task accepted; its id. */
  task(fields: Record<string, unknown>): Promise<string> {
    return accepted(this.daemon, fields)
  }

  drain(pool: string, deadline_ms: number): Promise<unknown> {
    return this.ask('POST', `/v1/pools/${pool}/drain`, keys.control, { deadline_ms }, 202)
  }

  /** Begins a reload that is not done before time moves. */
  async reload(pool: string): Promise<void> {
    const starts = (): number => this.daemon.lines.filter(({ message, fields }) => message === 'replica' && fields['pool_id'] === pool && fields['state'] === 'ready').length
    const before = starts()
    const body = { model_ref: 'mock:next', deadline_ms: 600_000 }
    this.pending.push(call(this.daemon.url, `/v1/pools/${pool}/reload`, { method: 'POST', key: keys.control, body }).catch(() => undefined))
    await until(() => starts() > before)
  }

  async stop(): Promise<void> {
    const stopped = this.daemon.stop()
    // The grace of running tasks.
    await this.clock.advance(1)
    await stopped
    await Promise.all(this.pending)
  }
}

let made = 0

export const controlLimits = { body_bytes: 2048, ttl_ms: 600_000, budgets: { tokens: 10_000, time_ms: 60_000, cost: 1 } } as const

const auth = authWith({ brisk: { requests_per_minute: 1 }, waiter: { queued_tasks: 1 }, modest: { top_priority: 'batch' }, poor: { budgets: { tokens: 10 } } })

async function open(): Promise<ControlWorld> {
  const clock = new FakeClock()
  const { body_bytes, ttl_ms, budgets } = controlLimits
  const fault = { kind: 'fail', after_tokens: 0, every: 1 }
  const pools = [
    pricedPool(),
    mockPool({ id: 'fast', model: 'mock:fast' }),
    mockPool({ id: 'again', model: 'mock:again' }),
    mockPool({ id: 'one', model: 'mock:one', replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 600_000 } }),
    pricedPool({ id: 'drained', model: 'mock:drained' }),
    mockPool({ id: 'faulty', model: 'mock:faulty', mock: { prefill_ms: 0, token_ms: 0, fault } }),
    talesPool({ id: 'resting', model: 'catalog:nobody' }),
  ]
  return new ControlWorld(await startDaemon({ auth, limits: { body_bytes }, sessions: { ttl_ms, budgets }, pools }, { clock }), clock)
}

/** The states of a daemon that cases are played in. */
export const controlWorlds = {
  /** All is well; bodies are small, budgets are bounded. */
  plain: open,
  /** The pool `one` is being reloaded. */
  reloading: async () => {
    const world = await open()
    await world.reload('one')
    return world
  },
  /** Nothing is taken any more. */
  stopping: async () => {
    const world = await open()
    await world.daemon.quiesce()
    return world
  },
  /** Nothing can be made durable any more. */
  diskless: async () => {
    const world = await open()
    await world.daemon.close()
    return world
  },
} satisfies Record<string, () => Promise<ControlWorld>>

export type ControlWorldName = keyof typeof controlWorlds
