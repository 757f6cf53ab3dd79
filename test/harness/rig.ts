import { createHash } from 'node:crypto'
import { coreOf } from '../../src/compose/core.ts'
import type { EngineFactory } from '../../src/compose/engines.ts'
import type { Models } from '../../src/compose/models.ts'
import { checkConfig } from '../../src/config/config.ts'
import type { Budgets } from '../../src/domain/accounts/budget.ts'
import { DomainError } from '../../src/domain/errors.ts'
import type { Principal } from '../../src/domain/principal.ts'
import type { FrameSource } from '../../src/domain/stream/frame-source.ts'
import type { TaskAcceptedReply, TaskRequest } from '../../src/domain/task.ts'
import { resumePoint } from '../../src/doors/native/event-id.ts'
import { nativeFormat } from '../../src/doors/native/frames.ts'
import { ModelFileError } from '../../src/ports/model-files.ts'
import { FetchError } from '../../src/ports/model-source.ts'
import type { EngineProps } from '../../src/ports/engine.ts'
import type { Log, LogFields, Metrics } from '../../src/ports/telemetry.ts'
import type { LiveTask } from '../../src/services/tasks/live-task.ts'
import type { Pool } from '../../src/services/pools/pool.ts'
import { FakeClock, settled } from './fake-clock.ts'
import { MemoryStorage } from './memory-storage.ts'
import { ScriptedEngine } from './scripted-engine.ts'
import { parseFrame, type Frame } from '../../cli/contract/frame.ts'

export interface RigOptions {
  /** Pools of the configuration; `pool` and one replica with one slot unless given. */
  readonly pools?: readonly Record<string, unknown>[]
  /** Groups of the configuration; none unless given. */
  readonly groups?: readonly Record<string, unknown>[]
  readonly sessions?: { readonly ttl_ms?: number; readonly max_turns?: number }
  /** Names of models; the pools' own unless given. */
  readonly models?: readonly Record<string, unknown>[]
  /** Budgets of keys, by name. */
  readonly keyBudgets?: ReadonlyMap<string, Budgets>
  /** Other limits of keys, by name. */
  readonly keyLimits?: Readonly<Record<string, object>>
  /** What every engine says of itself. */
  readonly props?: Partial<EngineProps>
  /** Called with each engine before it is started. */
  readonly prepare?: (engine: ScriptedEngine, pool_id: string, replica_id: string) => void
  /** Called when what an earlier rig left has been taken up, before any engine is started. */
  readonly recovered?: (core: Awaited<ReturnType<typeof coreOf>>) => Promise<void>
  /** What an earlier rig left. */
  readonly storage?: MemoryStorage
  readonly clock?: FakeClock
}

export const ann: Principal = { name: 'ann', roles: ['data'] }
export const bob: Principal = { name: 'bob', roles: ['data'] }
export const boss: Principal = { name: 'boss', roles: ['data', 'control'] }

export const poolConfig = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'pool',
  engine: 'mock',
  driver: 'in-process',
  model: 'mock:v1',
  ctx: 8192,
  replicas: [{ id: 'r0', slots: 1 }],
  ...fields,
})

let made = 0

/** What `taught` tasks of 3 prompt tokens and 10 tokens take, ms. */
export const taught_ms = 93

/** Lets a pool see tasks that all took the same: 1 ms a prompt token, 10 ms a token, all of max_tokens. */
export function teach({ estimator }: Pool, tasks = 10): void {
  for (let i = 0; i < tasks; i++) estimator.observe({ prompt_tokens: 3, max_tokens: 10, tokens_out: 10, prefill_ms: 3, decode_ms: 90 })
}

/** Fields of a task; what is undefined is left out. */
export type TaskFields = { readonly [K in keyof TaskRequest]?: TaskRequest[K] | undefined }

/** A valid task with ids of its own; a session each, unless given. */
export function taskOf(fields: TaskFields = {}): TaskRequest {
  const task_id = fields.task_id ?? `auto-${++made}`
  const common = { workload: 'completion', model_ref: 'mock:v1', engine: 'mock', priority: 'interactive', prompt: 'p' } as const
  const numbers = { ctx: 1000, max_tokens: 10, deadline_ms: 600_000, seed: 1 }
  const task = {
    task_id,
    session_id: `s-${task_id}`,
    ...common,
    ...numbers,
    determinism: 'best_effort',
    kv_hint: 'cold',
    output_mode: 'text',
    ...fields,
  }
  return Object.fromEntries(Object.entries(task).filter(([, value]) => value !== undefined)) as typeof task as TaskRequest
}

/** A count, gauge or observation, as it was reported. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, unknown>>
  readonly value: number
}

/** Everything a reader has taken. */
export class Tail {
  readonly reader: FrameSource
  private wire = ''

  constructor(reader: FrameSource) {
    this.reader = reader
    reader.onReadable(() => this.pull())
    this.pull()
  }

  get frames(): Frame[] {
    return this.wire.split('\n\n').slice(0, -1).map(parseFrame)
  }

  /** Kinds of frames in order. */
  get kinds(): string {
    return this.frames.map(({ event }) => event).join(' ')
  }

  get text(): string {
    return this.frames.flatMap(({ event, data }) => (event === 'token' ? [String(data?.['t'])] : [])).join('')
  }

  /** What the terminal frame says; undefined where there is none. */
  get end(): Frame['data'] {
    return this.frames.find(({ id }) => id === 'end')?.data
  }

  pull(): void {
    for (let more = this.reader.take(1 << 18); more !== ''; more = this.reader.take(1 << 18)) this.wire += more
  }
}

/** The domain error a promise rejects with. */
export async function refusalOf(promise: Promise<unknown>): Promise<DomainError> {
  const [result] = await Promise.allSettled([promise])
  if (result.status === 'rejected' && result.reason instanceof DomainError) return result.reason
  throw new Error('no domain error', { cause: result })
}

export type Rig = Awaited<ReturnType<typeof startRig>>

const keyOf = ([name, limits]: readonly [string, object]): object => ({
  name,
  key_sha256: createHash('sha256').update(name).digest('hex'),
  roles: ['data'],
  limits,
})

/** A models folder without files, and nowhere to fetch any from. */
const noModels: Models = {
  files: {
    find: (path) => Promise.reject(new ModelFileError('missing', `${path}: there is no such file`)),
    digest: (path) => Promise.reject(new ModelFileError('missing', `${path}: there is no such file`)),
    remove: () => Promise.resolve(),
    stored: () => Promise.resolve([]),
  },
  source: {
    refusal: () => 'models are not fetched here',
    fetch: ({ name }) => Promise.reject(new FetchError('refused', `${name}: models are not fetched here`)),
  },
}

/** The core of the daemon, on a clock, a storage and engines that the test owns. */
export async function startRig(options: RigOptions = {}) {
  const { storage = new MemoryStorage(), clock = new FakeClock(), prepare = () => undefined } = options
  const budgets = [...(options.keyBudgets ?? [])].map(([name, budgets]) => [name, { budgets }] as const)
  const keys = [...budgets, ...Object.entries(options.keyLimits ?? {})].map(keyOf)
  const { pools: given = [poolConfig()], models = [], groups = [] } = options
  const config = checkConfig({ pools: given, models, groups, sessions: { ...options.sessions }, auth: { keys } })
  const samples: Sample[] = []
  const record = (name: string, labels: object, value = 1): void => void samples.push({ name, labels: { ...labels }, value })
  const metrics: Metrics = { count: record, gauge: record, observe: record, forget: () => undefined }
  const lines: { readonly level: keyof Log; readonly fields: LogFields; readonly message: string }[] = []
  const line = (level: keyof Log) => (fields: LogFields, message: string) => void lines.push({ level, fields, message })
  const log: Log = { info: line('info'), warn: line('warn'), error: line('error') }
  const engines = new Map<string, ScriptedEngine>()
  const engineOf: EngineFactory = (pool, replica) => {
    const engine = new ScriptedEngine(options.props)
    prepare(engine, pool.id, replica.id)
    engines.set(`${pool.id}/${replica.id}`, engine)
    return engine
  }
  const core = await coreOf({
    config,
    storage,
    engines: engineOf,
    models: noModels,
    clock,
    metrics,
    log,
    drawSeed: () => 4242,
    jitter: () => 1,
  })
  const { pools, live, admission, streams } = core
  await options.recovered?.(core)
  const starting = core.start()
  await settled()

  const pool = (id?: string): Pool<LiveTask> => (id === undefined ? pools.all()[0] : pools.find(id)) ?? fail('pool')
  const engine = (name = [...engines.keys()][0] ?? ''): ScriptedEngine => engines.get(name) ?? fail(name)
  const task = (task_id: string, owner = 'ann'): LiveTask => live.of(owner, task_id) ?? fail(task_id)
  const admit = (fields: TaskFields = {}, who = ann): Promise<TaskAcceptedReply> => admission.admit(who, taskOf(fields), 'c1')
  return {
    ...core,
    ...{ storage, clock, engines, lines, samples, starting },
    ...{ pool, engine, task, admit },
    /** Admits a task and lets everything that follows happen. */
    run: async (fields: TaskFields = {}, who = ann): Promise<TaskAcceptedReply> => {
      const reply = await admit(fields, who)
      await settled()
      return reply
    },
    /** Follows a task from its start, or from an id. */
    tail: async (task_id: string, who = ann, last_event_id?: string): Promise<Tail> => {
      const from = resumePoint(last_event_id) ?? fail('such an id')
      return new Tail((await streams.open(who, task_id, from, nativeFormat))?.reader ?? fail('text left for the reader'))
    },
    /** Samples of one series. */
    metric: (name: string): Sample[] => samples.filter((sample) => sample.name === name),
  }
}

function fail(what: string): never {
  throw new Error(`there is no ${what}`)
}
