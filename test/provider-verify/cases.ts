import type { components } from '../../generated/api.ts'
import type { operations } from '../../generated/operations.ts'
import { operationIds, type OperationId } from '../harness/contract.ts'
import { keys, mockTask } from '../harness/daemon.ts'
import { artifact, limits, type World, type WorldName } from './worlds.ts'

type ErrorCode = components['schemas']['ErrorCode']
type Declared<Op extends OperationId> = (typeof operations)[Op]['statuses'][number]

/** A request of an operation; what is left out is as it should be. */
export interface Ask {
  readonly id?: string
  /** `null` sends none. */
  readonly key?: string | null
  readonly bearer?: boolean
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: Readonly<Record<string, unknown>> | string
}

interface CaseOf<Op extends OperationId> {
  readonly op: Op
  readonly status: Declared<Op>
  readonly what: string
  readonly code?: ErrorCode
  /** `plain` if left out. */
  readonly world?: WorldName
  readonly ask?: Ask | ((world: World) => Ask | Promise<Ask>)
}

export type Case = { [Op in OperationId]: CaseOf<Op> }[OperationId]

const nobody = 'nobody'
const noDigest = `sha256:${'0'.repeat(64)}`
const other = { key: keys.other }
const task = (fields: Record<string, unknown>): Ask => ({ body: mockTask(fields) })

/** What every operation answers in the same way. */
const everywhere = operationIds.flatMap((op): Case[] => [
  { op, status: 401, what: 'no key', code: 'UNAUTHENTICATED', ask: { key: null } },
  { op, status: 403, what: 'a wrong key', code: 'FORBIDDEN', ask: { key: 'wrong' } },
  { op, status: 403, what: 'a wrong bearer key', code: 'FORBIDDEN', ask: { key: 'wrong', bearer: true } },
  { op, status: 403, what: 'a key without the role', code: 'FORBIDDEN', ask: { key: keys.control } },
  { op, status: 400, what: 'an unknown query parameter', code: 'INVALID_PARAMS', ask: { query: { surprise: '1' } } },
  { op, status: 500, what: 'what nobody foresaw', code: 'INTERNAL', world: 'broken' },
])

const creating: Case[] = [
  { op: 'createTask', status: 202, what: 'a prompt' },
  { op: 'createTask', status: 202, what: 'a bearer key', ask: { bearer: true } },
  { op: 'createTask', status: 202, what: 'a conversation', ask: task({ prompt: undefined, messages: [{ role: 'user', content: 'Hello' }] }) },
  { op: 'createTask', status: 202, what: 'an embedding', ask: task({ prompt: undefined, workload: 'embedding', inputs: ['one', 'two'] }) },
  { op: 'createTask', status: 202, what: 'a reranking', ask: task({ workload: 'rerank', inputs: ['one', 'two'] }) },
  { op: 'createTask', status: 202, what: 'a task again', ask: async (world) => task({ task_id: await world.task({ seed: 1, session_id: 'again' }), seed: 1, session_id: 'again' }) },
  { op: 'createTask', status: 202, what: "another key's id", ask: async (world) => ({ ...task({ task_id: await world.task() }), ...other }) },
  { op: 'createTask', status: 202, what: 'a full queue that drops', world: 'dropLru' },
  { op: 'createTask', status: 400, what: 'a field missing', code: 'INVALID_PARAMS', ask: task({ max_tokens: undefined }) },
  { op: 'createTask', status: 400, what: 'an unknown field', code: 'INVALID_PARAMS', ask: task({ surprise: 1 }) },
  { op: 'createTask', status: 400, what: 'a number as text', code: 'INVALID_PARAMS', ask: task({ max_tokens: '5' }) },
  { op: 'createTask', status: 400, what: 'no body', code: 'INVALID_PARAMS', ask: { body: '' } },
  { op: 'createTask', status: 400, what: 'half a body', code: 'INVALID_PARAMS', ask: { body: '{"task_id":' } },
  { op: 'createTask', status: 400, what: 'null', code: 'INVALID_PARAMS', ask: { body: 'null' } },
  { op: 'createTask', status: 400, what: 'a task as text in JSON', code: 'INVALID_PARAMS', ask: () => ({ body: JSON.stringify(JSON.stringify(mockTask())) }) },
  { op: 'createTask', status: 400, what: 'half of a surrogate pair', code: 'INVALID_PARAMS', ask: task({ prompt: '\ud83e' }) },
  { op: 'createTask', status: 400, what: 'neither prompt nor messages', code: 'INVALID_PARAMS', ask: task({ prompt: undefined }) },
  { op: 'createTask', status: 400, what: 'more than the context', code: 'INVALID_PARAMS', ask: task({ ctx: 8193 }) },
  { op: 'createTask', status: 400, what: 'a pin to an unknown pool', code: 'INVALID_PARAMS', ask: task({ placement: { mode: 'pin', pin_pool_id: nobody } }) },
  { op: 'createTask', status: 400, what: 'a deadline that cannot be met', code: 'DEADLINE_UNMET', world: 'reject', ask: task({ deadline_ms: 1 }) },
  { op: 'createTask', status: 403, what: 'no turns left', code: 'BUDGET_EXHAUSTED', ask: exhausted },
  { op: 'createTask', status: 404, what: 'a model nobody serves', code: 'NOT_FOUND', ask: task({ model_ref: 'mock:v2' }) },
  { op: 'createTask', status: 409, what: 'the same id, another body', code: 'CONFLICT', ask: async (world) => task({ task_id: await world.task() }) },
  { op: 'createTask', status: 409, what: 'a finished id, another body', code: 'CONFLICT', ask: async (world) => task({ task_id: (await world.finished()).task_id }) },
  { op: 'createTask', status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: task({ prompt: 'x'.repeat(limits.body_bytes) }) },
  { op: 'createTask', status: 415, what: 'text', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'text/plain' } } },
  { op: 'createTask', status: 415, what: 'an unknown charset', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'application/json; charset=klingon' } } },
  { op: 'createTask', status: 415, what: 'an unknown encoding', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Encoding': 'zip' } } },
  { op: 'createTask', status: 429, what: 'a full queue that refuses', code: 'ADMISSION_REJECT', world: 'reject' },
  { op: 'createTask', status: 429, what: 'a full queue that drops, and nothing below', code: 'QUEUE_FULL_DROP_LRU', world: 'dropLru', ask: task({ priority: 'batch' }) },
  { op: 'createTask', status: 503, what: 'a pool that is not up', code: 'REPLICA_EXHAUSTED', world: 'loading' },
  { op: 'createTask', status: 503, what: 'a pool whose engine died', code: 'REPLICA_EXHAUSTED', world: 'dying', ask: async (world) => (await world.finished(), {}) },
  { op: 'createTask', status: 503, what: 'a daemon that stops', code: 'POOL_UNREADY', world: 'stopping' },
]

const tasks: Case[] = [
  { op: 'listTasks', status: 200, what: 'all of them', ask: async (world) => (await world.task(), {}) },
  { op: 'listTasks', status: 200, what: 'a page of those that completed', ask: async (world) => (await world.finished(), await world.finished(), { query: { state: 'completed', limit: '1' } }) },
  { op: 'listTasks', status: 200, what: 'those that wait', world: 'reject', ask: { query: { state: 'queued', session_id: 'waiting' } } },
  { op: 'listTasks', status: 400, what: 'a limit out of bounds', code: 'INVALID_PARAMS', ask: { query: { limit: '0' } } },
  { op: 'listTasks', status: 400, what: 'a state that is none', code: 'INVALID_PARAMS', ask: { query: { state: 'lost' } } },
  { op: 'listTasks', status: 400, what: 'two limits', code: 'INVALID_PARAMS', ask: { query: { limit: ['1', '2'] } } },
  { op: 'getTask', status: 200, what: 'one that completed', ask: async (world) => ({ id: (await world.finished({ metadata: { a: 'b' } })).task_id }) },
  { op: 'getTask', status: 200, what: 'one with a result', ask: async (world) => ({ id: (await world.finished({ prompt: undefined, workload: 'embedding', inputs: ['one'] })).task_id }) },
  { op: 'getTask', status: 200, what: 'one that failed', world: 'failing', ask: async (world) => ({ id: (await world.finished()).task_id }) },
  { op: 'getTask', status: 200, what: 'one that waits', world: 'reject', ask: ({ queued }) => ({ id: queued }) },
  { op: 'getTask', status: 200, what: 'one that runs', world: 'reject', ask: ({ running }) => ({ id: running }) },
  { op: 'getTask', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: '-1' } },
  { op: 'getTask', status: 400, what: 'a percent sign and nothing', code: 'INVALID_PARAMS', ask: { id: '%' } },
  { op: 'getTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'getTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  { op: 'streamTask', status: 200, what: 'one that completes', ask: async (world) => ({ id: await world.task() }) },
  { op: 'streamTask', status: 200, what: 'one that has completed', ask: async (world) => ({ id: (await world.finished()).task_id }) },
  { op: 'streamTask', status: 200, what: 'one with a result', ask: async (world) => ({ id: await world.task({ workload: 'rerank', inputs: ['one'] }) }) },
  { op: 'streamTask', status: 200, what: 'one that fails', world: 'failing', ask: async (world) => ({ id: await world.task() }) },
  { op: 'streamTask', status: 200, what: 'one whose engine dies', world: 'dying', ask: async (world) => ({ id: world.running === '' ? (world.running = await world.task()) : world.running }) },
  { op: 'streamTask', status: 200, what: 'the rest, after a token', ask: (world) => resumed(world, 3) },
  { op: 'streamTask', status: 200, what: 'the rest, after started', ask: (world) => resumed(world, 0) },
  { op: 'streamTask', status: 200, what: 'after another text', ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': '3-00000000' } }) },
  { op: 'streamTask', status: 200, what: 'one that was canceled', ask: async (world) => ({ id: await canceled(world) }) },
  { op: 'streamTask', status: 200, what: 'one that was displaced', world: 'dropLru', ask: async (world) => ({ id: await displaced(world) }) },
  { op: 'streamTask', status: 204, what: 'nothing is left', ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': 'end' } }) },
  { op: 'streamTask', status: 400, what: 'a Last-Event-ID that is none', code: 'INVALID_PARAMS', ask: async (world) => ({ id: await world.task(), headers: { 'Last-Event-ID': '01-0000000' } }) },
  { op: 'streamTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'streamTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  { op: 'cancelTask', status: 204, what: 'one that is on its way', ask: async (world) => ({ id: await world.task() }) },
  { op: 'cancelTask', status: 204, what: 'one that has completed', ask: async (world) => ({ id: (await world.finished()).task_id }) },
  { op: 'cancelTask', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'a b' } },
  { op: 'cancelTask', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'cancelTask', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.task(), ...other }) },
  { op: 'cancelTask', status: 503, what: 'one that waits, and no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: ({ queued }) => ({ id: queued }) },
  { op: 'cancelTask', status: 503, what: 'one whose end could not be written', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: ({ running }) => ({ id: running }) },
]

const sessions: Case[] = [
  { op: 'getSession', status: 200, what: 'an own one', ask: async (world) => ({ id: await world.session('seen') }) },
  { op: 'getSession', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: '_' } },
  { op: 'getSession', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'getSession', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.session('mine'), ...other }) },
  { op: 'deleteSession', status: 204, what: 'an own one', ask: async (world) => ({ id: await world.session('gone') }) },
  { op: 'deleteSession', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
  { op: 'deleteSession', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.session('kept'), ...other }) },
  { op: 'deleteSession', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'waiting' } },
]

const pools: Case[] = [
  { op: 'getCapabilities', status: 200, what: 'of a pool that is up' },
  { op: 'getCapabilities', status: 200, what: 'of a pool that is not', world: 'loading' },
  { op: 'listPools', status: 200, what: 'one that is up' },
  { op: 'listPools', status: 200, what: 'one that is not', world: 'loading' },
  { op: 'getPoolHealth', status: 200, what: 'one that is up', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 200, what: 'one that is down', world: 'loading', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 200, what: 'one that is busy', world: 'reject', ask: { id: 'mock' } },
  { op: 'getPoolHealth', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'Mock' } },
  { op: 'getPoolHealth', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: nobody } },
]

const artifacts: Case[] = [
  { op: 'createArtifact', status: 201, what: 'a plan' },
  { op: 'createArtifact', status: 201, what: 'the same again', ask: () => ({ body: artifact({ content: 'the same' }) }) },
  { op: 'createArtifact', status: 201, what: 'with a parent', ask: async (world) => ({ body: artifact({ parent: await world.artifact() }) }) },
  { op: 'createArtifact', status: 400, what: 'an unknown parent', code: 'INVALID_PARAMS', ask: () => ({ body: artifact({ parent: noDigest }) }) },
  { op: 'createArtifact', status: 400, what: 'half of a surrogate pair', code: 'INVALID_PARAMS', ask: () => ({ body: artifact({ metadata: { '\ude00': '' } }) }) },
  { op: 'createArtifact', status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: () => ({ body: artifact({ content: 'x'.repeat(limits.body_bytes) }) }) },
  { op: 'createArtifact', status: 415, what: 'XML', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'application/xml' } } },
  { op: 'createArtifact', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless' },
  { op: 'getArtifact', status: 200, what: 'an own one', ask: async (world) => ({ id: await world.artifact() }) },
  { op: 'getArtifact', status: 200, what: 'a transcript', ask: async (world) => ({ id: String((await world.finished()).terminal?.data?.['artifact_id']) }) },
  { op: 'getArtifact', status: 400, what: 'an id that is none', code: 'INVALID_PARAMS', ask: { id: 'sha256:1' } },
  { op: 'getArtifact', status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: { id: noDigest } },
  { op: 'getArtifact', status: 404, what: "another key's", code: 'NOT_FOUND', ask: async (world) => ({ id: await world.artifact(), ...other }) },
  { op: 'listArtifacts', status: 200, what: 'a page of plans', ask: async (world) => (await world.artifact(), await world.artifact(), { query: { kind: 'plan', tag: 'draft', limit: '1' } }) },
  { op: 'listArtifacts', status: 400, what: 'a kind that is none', code: 'INVALID_PARAMS', ask: { query: { kind: 'poem' } } },
]

/** Every case of every operation. */
export const cases: readonly Case[] = [...everywhere, ...creating, ...tasks, ...sessions, ...pools, ...artifacts]

async function exhausted(world: World): Promise<Ask> {
  for (let turn = 0; turn < limits.max_turns; turn++) await world.session('spent')
  return task({ session_id: 'spent' })
}

async function resumed(world: World, frame: number): Promise<Ask> {
  const { frames, task_id } = await world.finished()
  return { id: task_id, headers: { 'Last-Event-ID': frames[frame]!.id! } }
}

async function canceled(world: World): Promise<string> {
  const id = await world.task({ max_tokens: 8000 })
  await fetch(`${world.daemon.url}/v1/tasks/${id}/cancel`, { method: 'POST', headers: { 'X-API-Key': keys.data } })
  return id
}

async function displaced(world: World): Promise<string> {
  const id = await world.task()
  await world.task()
  return id
}
