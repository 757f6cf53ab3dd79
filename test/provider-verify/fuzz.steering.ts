import fc, { type Arbitrary } from 'fast-check'
import { modelDigest, type CatalogModelRequest } from '../../src/domain/catalog/catalog.ts'
import { manifestOf, modelRequest, someBytes, type makeSigner } from '../harness/catalog.ts'
import type { OperationId } from '../harness/contract.ts'

/** What lies below models_dir. */
export const files = { 'model.gguf': someBytes(500), 'other.gguf': someBytes(700, 2), 'sbom.json': Buffer.from('{}') }

/** Where nobody listens: a model from there is being fetched until its tries are used up. */
export const hub = '127.0.0.1:1'

/** Models the catalog may have; pools serve the first three. */
export const ids = ['m0', 'm1', 'm2', 'm3', 'm4']

/** Models that tasks ask for. */
export const models = [
  ...['mock:v1', 'mock:v1', 'mock:v1', 'mock:slow', 'mock:slow', 'mock:v2', 'mock:heavy', 'mock:hang', 'mock:deaf', 'mock:dying'],
  ...['catalog:m0', 'catalog:m0', 'catalog:m1', 'catalog:m1', 'catalog:m2', 'catalog:m4'],
]

const deadline = fc.constantFrom(0, 1, 100, 101, 500, 3000, 60_000)

function requests(id: string, signer: ReturnType<typeof makeSigner>): CatalogModelRequest[] {
  const one = [manifestOf('model.gguf', files['model.gguf'])]
  const other = [manifestOf('other.gguf', files['other.gguf'])]
  const absent = [manifestOf('absent.gguf', files['model.gguf'])]
  const wrong = [manifestOf('model.gguf', files['other.gguf'].subarray(0, 500))]
  const sbom = { uri: 'file:sbom.json', digest: manifestOf('', files['sbom.json']).digest }
  const strict = { trust_policy: { mode: 'strict' } } as const
  const local = modelRequest(id, 'file:model.gguf', one)
  return [
    local,
    local,
    { ...local, tags: ['draft'] },
    modelRequest(id, 'file:other.gguf', other),
    modelRequest(id, 'file:absent.gguf', absent),
    modelRequest(id, 'file:model.gguf', wrong),
    modelRequest(id, 'hf:org/repo', one),
    modelRequest(id, 'https://example.invalid/model.gguf', one),
    modelRequest(id, 'file:model.gguf', one, strict),
    modelRequest(id, 'file:model.gguf', one, { ...strict, sbom, signatures: [signer.sign(modelDigest(one))] }),
  ]
}

/** Bodies of the operations that steer the daemon, about what there is here. */
export const steeringBodies = (signer: ReturnType<typeof makeSigner>): Partial<Record<OperationId, Arbitrary<unknown>>> => ({
  putSession: fc.record(
    {
      ttl_ms: fc.constantFrom(1, 300, 20_000),
      budgets: fc.record(
        { tokens: fc.constantFrom(1, 60, 10_000), time_ms: fc.constantFrom(1, 100, 1000, 10_000), cost: fc.constantFrom(0.000_01, 0.5) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  drainPool: fc.record({ deadline_ms: deadline }),
  reloadPool: fc.record(
    {
      model_ref: fc.constantFrom(
        'mock:v1',
        'mock:v1',
        'mock:slow',
        'mock:slow',
        'mock:v2',
        'mock:heavy',
        'mock:hang',
        'catalog:m0',
        'file:x',
      ),
      deadline_ms: fc.constantFrom(1, 100, 500, 3000, 60_000),
    },
    { requiredKeys: ['model_ref'] },
  ),
  setCatalogModelState: fc.record(
    { state: fc.constantFrom('Active', 'Active', 'Retired'), deadline_ms: deadline },
    { requiredKeys: ['state'] },
  ),
  createCatalogModel: fc.constantFrom(...ids.flatMap((id) => requests(id, signer))),
})
