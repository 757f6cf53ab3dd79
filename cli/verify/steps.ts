import type { components } from '../../sdk/src/index.ts'
import type { Received } from '../contract/answer.ts'
import { CommandError } from '../common/exit.ts'
import type { Walk } from './walk.ts'

type Schemas = components['schemas']

/** What is walked with. */
export interface Plan {
  /** The model that tasks ask for; the first that is ready unless given. */
  readonly model: string | undefined
  /** Whether tasks may be run. */
  readonly runs: boolean
  /** Makes ids that nobody has. */
  readonly fresh: (purpose: string) => string
}

/** The body of an answer that keeps the contract. */
const bodyOf = (received: Received | undefined): unknown => (received === undefined ? undefined : JSON.parse(received.text))

/** Asks for everything that can be asked of any deployment without changing it for others. @throws ConnectionError, CommandError */
export async function walkAll(walk: Walk, { model, runs, fresh }: Plan): Promise<void> {
  const capabilities = bodyOf(await walk.ask('getCapabilities', { what: 'what can be asked', status: 200 })) as
    | Schemas['Capabilities']
    | undefined
  await readPools(walk)
  await readLists(walk)
  await refusals(walk, fresh)
  if (runs) {
    const name = model ?? capabilities?.models.find((one) => one.ready && isText(capabilities, one))?.name
    if (name === undefined)
      throw new CommandError('no model for tasks is ready: name one with --model, or leave tasks out with --read-only')
    await tasks(walk, name, fresh)
  }
  walk.skipOthers(runs ? 'it changes the deployment for others, or needs the role control' : 'only what reads')
}

/** Whether some pool of the model generates text. */
const isText = ({ engines }: Schemas['Capabilities'], { pools }: Schemas['ModelCapability']): boolean =>
  engines.some(({ pool_id, supported_workloads }) => pools.includes(pool_id) && supported_workloads.includes('completion'))

async function readPools(walk: Walk): Promise<void> {
  const page = bodyOf(await walk.ask('listPools', { what: 'the pools', status: 200 })) as Schemas['PoolList'] | undefined
  for (const { pool_id } of page?.pools ?? []) {
    await walk.ask('getPoolHealth', { what: `of ${pool_id}`, status: 200, id: pool_id })
    await walk.ask('listQueue', { what: `of ${pool_id}`, status: 200, id: pool_id, query: '?limit=5' })
  }
}

async function readLists(walk: Walk): Promise<void> {
  for (const operation of ['listTasks', 'listSessions', 'listCatalogModels', 'listArtifacts', 'getUsage'])
    await walk.ask(operation, { what: 'one page', status: 200, query: '?limit=5' })
  await walk.ask('streamEvents', { what: 'all there is to see', status: 200, endless: true })
}

/** What is wrong is refused as the contract says. */
async function refusals(walk: Walk, fresh: Plan['fresh']): Promise<void> {
  const nobody = fresh('nobody')
  const digest = `sha256:${'0'.repeat(64)}`
  await walk.ask('listTasks', { what: 'without a key', status: 401, key: null })
  await walk.ask('listTasks', { what: 'with a key that nobody has', status: 403, key: nobody })
  await walk.ask('listTasks', { what: 'with a limit of nothing', status: 400, query: '?limit=0' })
  for (const operation of ['getTask', 'streamTask', 'cancelTask', 'getSession', 'getPoolHealth', 'listQueue', 'getCatalogModel'])
    await walk.ask(operation, { what: 'of nobody', status: 404, id: nobody })
  await walk.ask('getArtifact', { what: 'of nobody', status: 404, id: digest })
  await walk.ask('createTask', { what: 'with a body that is not JSON', status: 400, body: '{' })
  await walk.ask('createTask', { what: 'with a field that is none', status: 400, body: { prompt: 'Hello', no_such_field: 1 } })
  await walk.ask('createTask', {
    what: 'with a body of another kind',
    status: 415,
    body: 'Hello',
    headers: { 'Content-Type': 'text/plain' },
  })
  await walk.ask('createTask', {
    what: 'for a model that is none',
    status: 404,
    body: { prompt: 'Hello', model_ref: 'mock:no-such-model-for-verify' },
  })
}

/** A task from its creation to its transcript, one that streams at once, and one that is canceled. */
async function tasks(walk: Walk, model_ref: string, fresh: Plan['fresh']): Promise<void> {
  const id = fresh('task')
  const body = { task_id: id, session_id: id, model_ref, prompt: 'Once upon a time', max_tokens: 8, seed: 7 }
  await walk.ask('createTask', { what: 'a task', status: 202, body })
  await walk.ask('createTask', { what: 'the same again', status: 202, body })
  await walk.ask('createTask', { what: 'another one of the same id', status: 409, body: { ...body, prompt: 'Another' } })
  const stream = await walk.ask('streamTask', { what: 'to its end', status: 200, id, also: endsWith('end') })
  const first = /^id: ([1-9]\d*-\S+)$/m.exec(stream?.text ?? '')?.[1]
  if (first !== undefined) {
    const also = ({ text }: Received): string | undefined =>
      stream?.text.endsWith(text) === true ? undefined : 'it is not exactly the rest'
    await walk.ask('streamTask', { what: 'from an event on', status: 200, id, headers: { 'Last-Event-ID': first }, also })
  }
  const task = bodyOf(await walk.ask('getTask', { what: 'that has ended', status: 200, id, also: stateIs('completed') })) as
    | Schemas['Task']
    | undefined
  await walk.ask('putSession', {
    what: 'of a task, with a budget',
    status: 200,
    id,
    body: { ttl_ms: 60_000, budgets: { tokens: 100_000 } },
  })
  await walk.ask('getSession', { what: 'of a task', status: 200, id })
  if (task?.artifact_id !== undefined) await walk.ask('getArtifact', { what: 'the transcript', status: 200, id: task.artifact_id })
  await walk.ask('createArtifact', { what: 'a document', status: 201, body: { kind: 'plan', content: id, tags: [], metadata: {} } })
  await walk.ask('deleteSession', { what: 'of a task', status: 204, id })
  const accept = { Accept: 'text/event-stream' }
  await walk.ask('createTask', {
    what: 'and its stream',
    status: 200,
    body: { ...body, task_id: fresh('streamed'), session_id: undefined },
    headers: accept,
    also: endsWith('end'),
  })
  const canceled = fresh('canceled')
  await walk.ask('createTask', { what: 'a long one', status: 202, body: { task_id: canceled, model_ref, prompt: 'Once upon a time' } })
  await walk.ask('cancelTask', { what: 'it', status: 204, id: canceled })
  await walk.ask('streamTask', { what: 'that ends as it was canceled', status: 200, id: canceled, also: endsWith('error', 'end') })
  await walk.ask('getTask', { what: 'that was canceled', status: 200, id: canceled, also: stateIs('canceled', 'completed') })
}

/** Of a stream. */
const endsWith =
  (...events: string[]) =>
  ({ text }: Received): string | undefined => {
    const last = /event: (\w+)\ndata: .*\n\n$/.exec(text)?.[1] ?? 'nothing'
    return events.includes(last) ? undefined : `it ends with ${last}, not ${events.join(' or ')}: ${text.slice(-300)}`
  }

/** Of a task. */
const stateIs =
  (...states: string[]) =>
  ({ text }: Received): string | undefined => {
    const { state } = JSON.parse(text) as Schemas['Task']
    return states.includes(state) ? undefined : `its state is ${state}, not ${states.join(' or ')}`
  }
