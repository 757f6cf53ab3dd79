import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { authWith, prices } from '../e2e/budgets.kit.ts'
import { EngineServer } from '../engines/http/engine-server.ts'
import { manifestOf, modelRequest } from '../harness/catalog.ts'
import { keys, mockPool, talesPool, type Overrides } from '../harness/daemon.ts'
import { holdAfter, Hub } from '../harness/hub.ts'
import { modelsDir } from '../harness/process.ts'
import { broken } from './broken.ts'
import { bytes, World } from './world.ts'

/** Bounds of the configuration. */
export const bounds = {
  body_bytes: 2048,
  file_bytes: 4096,
  max_turns: 2,
  ttl_ms: 600_000,
  budgets: { tokens: 10_000, time_ms: 60_000, cost: 1 },
} as const

const fast = { prefill_ms: 0, token_ms: 0 }
/** The first token comes when time has been moved, and not before. */
const slow = { prefill_ms: 600_000 }
const one = [{ id: 'r0', slots: 1 }]

const pools = [
  mockPool({ prices }),
  mockPool({ id: 'slow', model: 'mock:slow', mock: slow }),
  mockPool({ id: 'one', model: 'mock:one', replicas: one, mock: slow }),
  mockPool({ id: 'tiny', model: 'mock:tiny', ctx: 8 }),
  mockPool({ id: 'again', model: 'mock:again' }),
  mockPool({ id: 'drained', model: 'mock:drained', mock: slow }),
  mockPool({ id: 'faulty', model: 'mock:faulty', mock: { ...fast, fault: { kind: 'fail', after_tokens: 0, every: 1 } } }),
  talesPool({ id: 'resting', model: 'catalog:nobody' }),
]

const limited = {
  brisk: { requests_per_minute: 1 },
  waiter: { queued_tasks: 1 },
  modest: { top_priority: 'batch' },
  poor: { budgets: { tokens: 10 } },
  hoarder: { stored_bytes: 200 },
  loner: { sessions: 1 },
}

async function open(given: Record<string, unknown> = {}, overrides: Overrides = {}, world = new World()): Promise<World> {
  world.write('model.gguf', bytes)
  const hub = (world.hub = await Hub.start())
  hub.put('org/held', 'model.gguf', holdAfter(bytes, 1))
  hub.put('org/other', 'model.gguf', Buffer.from('another'))
  const { body_bytes, file_bytes, max_turns } = bounds
  const limits = { body_bytes, door_body_bytes: body_bytes, file_bytes }
  await world.start(
    { hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } },
    { clock: world.clock, ...overrides },
    { data_dir: ':memory:', auth: authWith(limited), limits, sessions: { max_turns }, pools, ...given },
  )
  return world
}

/** One slot on which nothing ever ends, and a queue for one; both are taken. */
async function full(full_policy: string, ...more: Record<string, unknown>[]): Promise<World> {
  const world = await open({ pools: [mockPool({ replicas: one, queue: { capacity: 1, full_policy }, mock: slow }), ...more] })
  world.runningTask = await world.task()
  world.queuedTask = await world.task({ session_id: 'waiting' })
  return world
}

const faulty = (kind: string, after_tokens: number): Promise<World> =>
  open({ pools: [mockPool({ mock: { ...fast, replayable: false, continues: false, fault: { kind, after_tokens } } })] })

/** The states of a daemon that cases are played in; each is opened once and shared by its cases, in whatever order they run. */
export const worlds = {
  /** All is well; bodies and sessions are small. */
  plain: () => open(),
  /** One pool, whose model need not be named. */
  single: () => open({ pools: [mockPool({ prices })] }),
  /** The same as `plain`, with nothing being fetched that other models would wait for. */
  idle: () => open(),
  /** The configuration bounds what sessions may have. */
  bounded: () => open({ sessions: { ttl_ms: bounds.ttl_ms, budgets: bounds.budgets } }),
  /** The slot is taken and the queue full, and the newcomer is refused. */
  reject: () => full('reject'),
  /** The slot is taken and the queue full, and the newcomer displaces who is not above it. */
  dropLru: () => full('drop-lru'),
  /** The pool has seen how long tasks take. */
  learned: async () => {
    const world = await open({ pools: [mockPool({ mock: { prefill_ms: 20, token_ms: 0 } })] })
    for (let i = 0; i < 5; i++) await world.finished({}, 20)
    return world
  },
  /** The pool has not come up within the 1 ms it has, which pass on the real clock while the daemon starts. */
  loading: () => open({ pools: [mockPool({ timeouts: { start_ms: 1 }, mock: { load_ms: 600_000 } })] }, { clock: systemClock }),
  /** The pool `mock` is being reloaded. */
  reloading: async () => {
    const world = await open({ pools: [mockPool({ mock: slow })] })
    await world.reload('mock')
    return world
  },
  /** The engine has died of its first task. */
  dying: async () => {
    const world = await faulty('die', 1)
    world.endedTask = (await world.finished()).task_id
    return world
  },
  /** The engine fails after two tokens. */
  failing: () => faulty('fail', 2),
  /** Nothing is admitted any more. */
  stopping: async () => {
    const world = await open()
    await world.daemon.quiesce()
    return world
  },
  /** A pool serves the model `served`. */
  serving: async () => {
    const world = new World()
    const tales = readFileSync(join(modelsDir, 'tinytales.gguf'))
    world.write('tales.gguf', tales)
    await open({ pools: [talesPool({ model: 'file:tales.gguf' })] }, {}, world)
    await world.model(modelRequest('served', 'file:tales.gguf', [manifestOf('tales.gguf', tales)]))
    await world.must(202, 'POST', '/v1/pools/tales/reload', { model_ref: 'catalog:served' })
    return world
  },
  /** Two pools take turns on the devices: `held` is loaded and runs a task, `asleep` is not. `pinned` is always loaded. */
  grouped: async () => {
    const member = (id: string) => mockPool({ id, model: `mock:${id}`, replicas: one, mock: slow })
    const groups = [
      { id: 'gpu', pools: ['held', 'asleep', 'spare'] },
      { id: 'one', pools: ['pinned'], pin: ['pinned'] },
    ]
    const world = await open({ pools: [mockPool(), member('held'), member('asleep'), member('spare'), member('pinned')], groups })
    await world.task({ model_ref: 'mock:held' })
    await world.task({ model_ref: 'mock:held' })
    return world
  },
  /** The pool `box` is a server with one model, which tells little of itself. */
  remote: async () => {
    const server = await EngineServer.start()
    server.on('GET /v1/models', (call) => call.json(200, { data: [{ id: 'one' }] }))
    const world = new World()
    world.server = server
    return open({ pools: [{ id: 'box', engine: 'openai', model: 'openai:one', ctx: 4096, url: server.url, replayable: false }] }, {}, world)
  },
  /** A task runs and one waits, the model `kept` is there, and then nothing can be made durable any more. */
  diskless: async () => {
    const world = await full('reject', mockPool({ id: 'free', model: 'mock:free', mock: slow }))
    await world.model({ id: 'kept' })
    const response = { model: 'mock:free', input: 'Hello', background: true }
    world.storedResponse = String((await world.must(200, 'POST', '/v1/responses', response, keys.data))['id'])
    await world.daemon.close()
    return world
  },
  /** Every service throws. */
  broken: () => open({}, { services: broken }),
} satisfies Record<string, () => Promise<World>>

export type WorldName = keyof typeof worlds
