import assert from 'node:assert/strict'
import request from 'supertest'
import type { Services } from '../../src/handlers/index.ts'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { readStream, type StreamClient } from '../harness/sse.ts'

/** A daemon in a certain state, and what the cases need to put something into it. */
export class World {
  readonly daemon: TestDaemon
  /** Where time stands still. */
  readonly clock: FakeClock | undefined
  /** A task that waits in a queue, one that runs and one that has ended, where the world begins with them. */
  queued = ''
  running = ''
  ended = ''

  constructor(daemon: TestDaemon, clock?: FakeClock) {
    this.daemon = daemon
    this.clock = clock
  }

  async stop(): Promise<void> {
    const stopped = this.daemon.stop()
    // The grace of running tasks, if time has to be moved for it to pass.
    await this.clock?.advance(1)
    await stopped
  }

  /** Has a task accepted; its id. */
  async task(fields: Record<string, unknown> = {}, key: string = keys.data): Promise<string> {
    const task = mockTask(fields)
    const { status, text } = await request(this.daemon.url).post('/v1/tasks').set('X-API-Key', key).send(task)
    assert.equal(status, 202, text)
    return task.task_id
  }

  /** Has a task accepted and reads its stream to the end. */
  async finished(fields: Record<string, unknown> = {}): Promise<StreamClient & { readonly task_id: string }> {
    const task_id = await this.task(fields)
    return Object.assign(await readStream(this.daemon.url, task_id, keys.data), { task_id })
  }

  /** Has a task accepted that makes its session; the session's id. */
  async session(session_id: string): Promise<string> {
    await this.task({ session_id })
    return session_id
  }

  /** Stores an artifact; its id. */
  async artifact(): Promise<string> {
    const { text, status } = await request(this.daemon.url).post('/v1/artifacts').set('X-API-Key', keys.data).send(artifact())
    assert.equal(status, 201)
    return (JSON.parse(text) as { id: string }).id
  }
}

let made = 0

/** The digest of the demonstration model, which the catalog can name without fetching anything. */
const demoDigest = 'sha256:d9455cd88e099a18219ec2186ccce99c3db89885d95b27bcb38a68b9151f1e88'

/** A model for the catalog; its file is here already. */
export const model = (fields: Record<string, unknown> = {}): Record<string, unknown> & { id: string } => ({
  id: `model-${++made}`,
  digest: demoDigest,
  source_url: 'file:models/tinytales.gguf',
  manifests: [{ path: 'tinytales.gguf', digest: demoDigest, size_bytes: 2_535_680 }],
  trust_policy: { mode: 'permissive' },
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

export const limits = { body_bytes: 2048, max_turns: 2 } as const

const fast = { prefill_ms: 0, token_ms: 0 }

/** One slot on which nothing ever ends, and a queue for one. */
const stuck = (full_policy: string): Record<string, unknown> => ({
  pools: [mockPool({ replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1, full_policy }, mock: { prefill_ms: 600_000 } })],
})

/** Every method of a service throws what nobody foresaw. */
const throwing = <T extends object>(service: T): T =>
  new Proxy(service, {
    get: () => () => {
      throw new Error('a secret detail')
    },
  })

const broken = (services: Services): Services =>
  Object.fromEntries(Object.entries(services).map(([name, service]) => [name, throwing(service as object)])) as unknown as Services

/** The states of a daemon that cases are played in. Time stands still where it could change them. */
export const worlds = {
  /** All is well; bodies and sessions are small. */
  plain: async () => new World(await startDaemon({ limits: { body_bytes: limits.body_bytes }, sessions: { max_turns: limits.max_turns } })),
  /** The slot is taken and the queue full, and the newcomer is refused. */
  reject: () => full('reject'),
  /** The slot is taken and the queue full, and the newcomer displaces who is not above it. */
  dropLru: () => full('drop-lru'),
  /** The pool has seen how long tasks take. */
  learned: async () => {
    const world = new World(await startDaemon({ pools: [mockPool({ mock: { prefill_ms: 20, token_ms: 0 } })] }))
    for (let i = 0; i < 5; i++) await world.finished()
    return world
  },
  /** The pool has not come up. */
  loading: async () => new World(await startDaemon({ pools: [mockPool({ timeouts: { start_ms: 1 }, mock: { load_ms: 600_000 } })] })),
  /** The engine has died of its first task. */
  dying: async () => {
    const clock = new FakeClock()
    const world = new World(await startDaemon({ pools: [mockPool({ mock: { ...fast, replayable: false, fault: { kind: 'die', after_tokens: 1 } } })] }, { clock }), clock)
    world.ended = (await world.finished()).task_id
    return world
  },
  /** The engine fails after two tokens. */
  failing: async () => new World(await startDaemon({ pools: [mockPool({ mock: { ...fast, replayable: false, fault: { kind: 'fail', after_tokens: 2 } } })] })),
  /** Nothing is admitted any more. */
  stopping: async () => {
    const world = new World(await startDaemon())
    await world.daemon.quiesce()
    return world
  },
  /** A task runs and one waits, and then nothing can be made durable any more. */
  diskless: async () => {
    const world = await full('reject')
    await world.daemon.close()
    return world
  },
  /** Pools are drained, resumed and reloaded; one rests, for nobody has registered its model. */
  steered: async () => new World(await startDaemon({ pools: [mockPool(), talesPool({ id: 'resting', model: 'catalog:nobody' })] })),
  /** Every service throws. */
  broken: async () => new World(await startDaemon({}, { services: broken })),
} satisfies Record<string, () => Promise<World>>

export type WorldName = keyof typeof worlds

async function full(full_policy: string): Promise<World> {
  const clock = new FakeClock()
  const world = new World(await startDaemon(stuck(full_policy), { clock }), clock)
  world.running = await world.task()
  world.queued = await world.task({ session_id: 'waiting' })
  return world
}
