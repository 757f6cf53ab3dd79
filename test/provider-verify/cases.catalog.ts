import { casesOf, noDigest, noDisk, type Ask, type Case } from './case.ts'
import { localModel, type World } from './world.ts'

const some = async (world: World): Promise<Ask> => ({ id: await world.model() })
const model =
  (fields: object): (() => Ask) =>
  () => ({ body: localModel(fields) })
/** A model of the hub with one file of 7 bytes. */
const remote = (repo: string): object => ({
  source_url: `hf:org/${repo}`,
  digest: noDigest,
  manifests: [{ path: 'model.gguf', digest: noDigest, size_bytes: 7 }],
})
const fetching = async (world: World): Promise<Ask> => {
  const { id } = await world.must(201, 'POST', '/v1/catalog/models', localModel(remote('held')))
  return { id: String(id) }
}
const unfetched = async (world: World): Promise<Ask> => ({ id: await world.model(remote('other')) })

/** Cases of the catalog. */
export const catalog: readonly Case[] = [
  ...casesOf(
    'createCatalogModel',
    { status: 201, what: 'a local model' },
    {
      status: 201,
      what: 'with everything there is',
      ask: model({
        tags: ['x'],
        signatures: [{ signer: 'ann', algo: 'ed25519', value: 'AAAA' }],
        sbom: { uri: 'file:model.gguf', digest: noDigest },
        trust_policy: { mode: 'permissive', signers: ['ann'] },
      }),
    },
    { status: 201, what: 'a model of a hub', ask: model(remote('held')) },
    { status: 201, what: 'the same again', ask: (world) => again(world, {}) },
    { status: 400, what: 'a field missing', names: /digest/, ask: model({ digest: undefined }) },
    { status: 400, what: 'half of a surrogate pair', names: /surrogate/, ask: model({ tags: ['\ud83e'] }) },
    { status: 400, what: 'a way up', names: /source_url/, ask: model({ source_url: 'file:../model.gguf' }) },
    { status: 400, what: 'an absolute path', names: /source_url/, ask: model({ source_url: 'file:///etc/passwd' }) },
    { status: 400, what: 'a file that is not there', names: /there is no file/, ask: model({ source_url: 'file:nothing' }) },
    { status: 400, what: 'a scheme that is not supported', names: /source_url/, ask: model({ source_url: 's3://bucket/model.gguf' }) },
    { status: 400, what: 'a host that is not listed', names: /hosts/, ask: model({ source_url: 'https://example.com/model.gguf' }) },
    { status: 400, what: 'another digest than its file', names: /digest/, ask: model({ digest: noDigest }) },
    { status: 409, what: 'the same id, another model', names: /another model/, ask: (world) => again(world, { tags: ['other'] }) },
    { status: 422, what: 'unsigned under policy strict', names: /signatures/, ask: model({ trust_policy: { mode: 'strict' } }) },
    noDisk(),
  ),
  ...casesOf(
    'getCatalogModel',
    { status: 200, what: 'one that is verified', names: /"status":"pass"/, ask: some },
    { status: 200, what: 'one that is fetched', names: /"status":"fetching"/, ask: fetching },
    { status: 200, what: 'one that could not be fetched', names: /"status":"failed"/, world: 'idle', ask: unfetched },
    { status: 200, what: 'one that is retired', names: /"state":"Retired"/, ask: retired },
  ),
  ...casesOf(
    'listCatalogModels',
    { status: 200, what: 'all of them', names: /"id"/, ask: async (world) => (await world.model(), {}) },
    {
      status: 200,
      what: 'a page of those that are retired',
      names: /"next_cursor"/,
      ask: async (world) => (await retired(world), await retired(world), { query: { state: 'Retired', limit: '1' } }),
    },
    {
      status: 200,
      what: 'those with a tag',
      names: /"y"/,
      ask: async (world) => (await world.model({ tags: ['y'] }), { query: { tag: 'y' } }),
    },
    { status: 400, what: 'a state that is none', names: /state/, ask: { query: { state: 'Lost' } } },
    { status: 400, what: 'a limit out of bounds', names: /limit/, ask: { query: { limit: '0' } } },
  ),
  ...casesOf(
    'deleteCatalogModel',
    { status: 204, what: 'one nobody serves', ask: some },
    { status: 204, what: 'one that is fetched', ask: fetching },
    { status: 409, what: 'one that a pool serves', names: /served by a pool/, world: 'serving', ask: { id: 'served' } },
    noDisk({ id: 'kept' }),
  ),
  ...casesOf(
    'verifyCatalogModel',
    { status: 202, what: 'a local one', ask: some },
    { status: 202, what: 'one that could not be fetched', world: 'idle', ask: unfetched },
    { status: 409, what: 'one that is fetched', names: /being fetched/, ask: fetching },
    noDisk({ id: 'kept' }),
  ),
  ...casesOf(
    'setCatalogModelState',
    { status: 202, what: 'retired', names: /"state":"Retired"/, ask: some },
    { status: 202, what: 'retired again', names: /"state":"Retired"/, ask: retired },
    {
      status: 202,
      what: 'brought back',
      names: /"state":"Active"/,
      ask: async (world) => ({ ...(await retired(world)), body: { state: 'Active' } }),
    },
    { status: 202, what: 'one that a pool serves', world: 'serving', ask: { id: 'served', body: { state: 'Active' } } },
    { status: 400, what: 'a state that is none', names: /state/, ask: { body: { state: 'Lost' } } },
    { status: 400, what: 'a deadline that is none', names: /deadline_ms/, ask: { body: { state: 'Retired', deadline_ms: -1 } } },
    noDisk({ id: 'kept' }),
  ),
]

async function again(world: World, fields: object): Promise<Ask> {
  const body = localModel()
  await world.must(201, 'POST', '/v1/catalog/models', body)
  return { body: { ...body, ...fields } }
}

async function retired(world: World): Promise<Ask> {
  const id = await world.model()
  await world.must(202, 'POST', `/v1/catalog/models/${id}/state`, { state: 'Retired' })
  return { id }
}
