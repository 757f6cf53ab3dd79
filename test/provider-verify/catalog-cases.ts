import type { components } from '../../generated/api.ts'
import type { operations } from '../../generated/operations.ts'
import type { OperationId } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { bodyLimit, localModel, type CatalogCaseWorld, type CatalogWorldName } from './catalog-worlds.ts'

export type CatalogOperation = Extract<OperationId, `${string}CatalogModel${string}`>

/** A request of an operation; what is left out is as it should be. */
export interface CatalogAsk {
  readonly id?: string
  /** `null` sends none. */
  readonly key?: string | null
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a string as it is. */
  readonly body?: object | string
}

interface CaseOf<Op extends CatalogOperation> {
  readonly op: Op
  readonly status: (typeof operations)[Op]['statuses'][number]
  readonly what: string
  readonly code?: components['schemas']['ErrorCode']
  /** `plain` if left out. */
  readonly world?: CatalogWorldName
  readonly ask?: CatalogAsk | ((world: CatalogCaseWorld) => CatalogAsk | Promise<CatalogAsk>)
}

export type CatalogCase = { [Op in CatalogOperation]: CaseOf<Op> }[CatalogOperation]

const nobody = { id: 'nobody' }
const malformed = { id: 'Not-An-Id' }
const bad = { status: 400, code: 'INVALID_PARAMS' } as const
const unknown = { status: 404, what: 'an unknown one', code: 'NOT_FOUND', ask: nobody } as const
const noDisk = { status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless', ask: { id: 'kept' } } as const
const some = async (world: CatalogCaseWorld): Promise<CatalogAsk> => ({ id: await world.model() })
const model =
  (fields: object): (() => CatalogAsk) =>
  () => ({ body: localModel(fields) })
const digest = `sha256:${'0'.repeat(64)}`
/** A model of the hub with one file of 7 bytes. */
const remote = (repo: string): object => ({
  source_url: `hf:org/${repo}`,
  digest,
  manifests: [{ path: 'model.gguf', digest, size_bytes: 7 }],
})
const fetching = async (world: CatalogCaseWorld): Promise<CatalogAsk> => {
  const { json } = await world.create(localModel(remote('held')))
  return { id: String(json['id']) }
}

const creating: CatalogCase[] = [
  { op: 'createCatalogModel', status: 201, what: 'a local model' },
  {
    op: 'createCatalogModel',
    status: 201,
    what: 'with everything there is',
    ask: model({
      tags: ['x'],
      signatures: [{ signer: 'ann', algo: 'ed25519', value: 'AAAA' }],
      sbom: { uri: 'file:model.gguf', digest },
      trust_policy: { mode: 'permissive', signers: ['ann'] },
    }),
  },
  { op: 'createCatalogModel', status: 201, what: 'a model of a hub', ask: model(remote('held')) },
  { op: 'createCatalogModel', status: 201, what: 'the same again', ask: (world) => again(world, {}) },
  { op: 'createCatalogModel', ...bad, what: 'a field missing', ask: model({ digest: undefined }) },
  { op: 'createCatalogModel', ...bad, what: 'an unknown field', ask: model({ surprise: 1 }) },
  { op: 'createCatalogModel', ...bad, what: 'half a body', ask: { body: '{"id":' } },
  { op: 'createCatalogModel', ...bad, what: 'half of a surrogate pair', ask: model({ tags: ['\ud83e'] }) },
  { op: 'createCatalogModel', ...bad, what: 'a way up', ask: model({ source_url: 'file:../model.gguf' }) },
  { op: 'createCatalogModel', ...bad, what: 'an absolute path', ask: model({ source_url: 'file:///etc/passwd' }) },
  { op: 'createCatalogModel', ...bad, what: 'a file that is not there', ask: model({ source_url: 'file:nothing' }) },
  { op: 'createCatalogModel', ...bad, what: 'a scheme that is not supported', ask: model({ source_url: 's3://bucket/model.gguf' }) },
  { op: 'createCatalogModel', ...bad, what: 'a host that is not listed', ask: model({ source_url: 'https://example.com/model.gguf' }) },
  { op: 'createCatalogModel', ...bad, what: 'another digest than its file', ask: model({ digest }) },
  {
    op: 'createCatalogModel',
    status: 409,
    what: 'the same id, another model',
    code: 'CONFLICT',
    ask: (world) => again(world, { tags: ['other'] }),
  },
  { op: 'createCatalogModel', status: 413, what: 'a large body', code: 'INVALID_PARAMS', ask: model({ tags: ['x'.repeat(bodyLimit)] }) },
  { op: 'createCatalogModel', status: 415, what: 'text', code: 'INVALID_PARAMS', ask: { headers: { 'Content-Type': 'text/plain' } } },
  {
    op: 'createCatalogModel',
    status: 422,
    what: 'unsigned under policy strict',
    code: 'UNTRUSTED_ARTIFACT',
    ask: model({ trust_policy: { mode: 'strict' } }),
  },
  { op: 'createCatalogModel', status: 503, what: 'no disk', code: 'POOL_UNAVAILABLE', world: 'diskless' },
]

const reading: CatalogCase[] = [
  { op: 'getCatalogModel', status: 200, what: 'one that is verified', ask: some },
  { op: 'getCatalogModel', status: 200, what: 'one that is fetched', ask: fetching },
  {
    op: 'getCatalogModel',
    status: 200,
    what: 'one that could not be fetched',
    world: 'idle',
    ask: async (world) => ({ id: await world.model(remote('other')) }),
  },
  { op: 'getCatalogModel', status: 200, what: 'one that is retired', ask: async (world) => ({ id: await retired(world) }) },
  { op: 'getCatalogModel', ...bad, what: 'an id that is none', ask: malformed },
  { op: 'getCatalogModel', ...unknown },
  { op: 'listCatalogModels', status: 200, what: 'all of them', ask: async (world) => (await world.model(), {}) },
  {
    op: 'listCatalogModels',
    status: 200,
    what: 'a page of those that are retired',
    ask: async (world) => (await retired(world), await retired(world), { query: { state: 'Retired', limit: '1' } }),
  },
  {
    op: 'listCatalogModels',
    status: 200,
    what: 'those with a tag',
    ask: async (world) => (await world.model({ tags: ['y'] }), { query: { tag: 'y' } }),
  },
  { op: 'listCatalogModels', ...bad, what: 'a state that is none', ask: { query: { state: 'Lost' } } },
  { op: 'listCatalogModels', ...bad, what: 'a limit out of bounds', ask: { query: { limit: '0' } } },
]

const changing: CatalogCase[] = [
  { op: 'deleteCatalogModel', status: 204, what: 'one nobody serves', ask: some },
  { op: 'deleteCatalogModel', status: 204, what: 'one that is fetched', ask: fetching },
  { op: 'deleteCatalogModel', ...bad, what: 'an id that is none', ask: malformed },
  { op: 'deleteCatalogModel', ...unknown },
  { op: 'deleteCatalogModel', status: 409, what: 'one that a pool serves', code: 'CONFLICT', world: 'serving', ask: { id: 'served' } },
  { op: 'deleteCatalogModel', ...noDisk },
  { op: 'verifyCatalogModel', status: 202, what: 'a local one', ask: some },
  {
    op: 'verifyCatalogModel',
    status: 202,
    what: 'one that could not be fetched',
    world: 'idle',
    ask: async (world) => ({ id: await world.model(remote('other')) }),
  },
  { op: 'verifyCatalogModel', ...bad, what: 'an id that is none', ask: malformed },
  { op: 'verifyCatalogModel', ...unknown },
  { op: 'verifyCatalogModel', status: 409, what: 'one that is fetched', code: 'CONFLICT', ask: fetching },
  { op: 'verifyCatalogModel', ...noDisk },
  { op: 'setCatalogModelState', status: 202, what: 'retired', ask: some },
  { op: 'setCatalogModelState', status: 202, what: 'retired again', ask: async (world) => ({ id: await retired(world) }) },
  {
    op: 'setCatalogModelState',
    status: 202,
    what: 'brought back',
    ask: async (world) => ({ id: await retired(world), body: { state: 'Active' } }),
  },
  {
    op: 'setCatalogModelState',
    status: 202,
    what: 'one that a pool serves',
    world: 'serving',
    ask: { id: 'served', body: { state: 'Active' } },
  },
  { op: 'setCatalogModelState', ...bad, what: 'a state that is none', ask: { ...nobody, body: { state: 'Lost' } } },
  { op: 'setCatalogModelState', ...bad, what: 'a deadline that is none', ask: { ...nobody, body: { state: 'Retired', deadline_ms: -1 } } },
  { op: 'setCatalogModelState', ...unknown },
  {
    op: 'setCatalogModelState',
    status: 413,
    what: 'a large body',
    code: 'INVALID_PARAMS',
    ask: { ...nobody, body: { state: 'x'.repeat(bodyLimit) } },
  },
  {
    op: 'setCatalogModelState',
    status: 415,
    what: 'XML',
    code: 'INVALID_PARAMS',
    ask: { ...nobody, headers: { 'Content-Type': 'application/xml' } },
  },
  { op: 'setCatalogModelState', ...noDisk },
]

const controls = ['createCatalogModel', 'deleteCatalogModel', 'verifyCatalogModel', 'setCatalogModelState'] as const
const reads = ['getCatalogModel', 'listCatalogModels'] as const

/** What every operation of the catalog answers in the same way. */
const everywhere = [...controls, ...reads].flatMap((op): CatalogCase[] => [
  { op, status: 401, what: 'no key', code: 'UNAUTHENTICATED', ask: { key: null } },
  { op, status: 403, what: 'a wrong key', code: 'FORBIDDEN', ask: { key: 'wrong' } },
  { op, ...bad, what: 'an unknown query parameter', ask: { query: { surprise: '1' } } },
])
const roles = [
  ...controls.map((op): CatalogCase => ({ op, status: 403, what: 'a key without the role', code: 'FORBIDDEN', ask: { key: keys.data } })),
  ...reads.map((op): CatalogCase => ({ op, status: 403, what: 'a key without the role', code: 'FORBIDDEN', ask: { key: keys.control } })),
]

/** Every case of the catalog's operations, but for what nobody foresees. */
export const catalogCases: readonly CatalogCase[] = [...everywhere, ...roles, ...creating, ...reading, ...changing]

async function again(world: CatalogCaseWorld, fields: object): Promise<CatalogAsk> {
  const body = localModel()
  await world.create(body)
  return { body: { ...body, ...fields } }
}

async function retired(world: CatalogCaseWorld): Promise<string> {
  const id = await world.model()
  await world.ask('POST', `/v1/catalog/models/${id}/state`, { state: 'Retired' })
  return id
}
