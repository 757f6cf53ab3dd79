import assert from 'node:assert/strict'
import type { CatalogModelRequest } from '../../src/domain/catalog/catalog.ts'
import { CatalogWorld, makeSigner, manifestOf, modelRequest, sha256, someBytes } from '../harness/catalog.ts'
import { responseProblems } from '../harness/contract.ts'

const bytes = someBytes(5000)
const tales = (fields: Partial<CatalogModelRequest> = {}): CatalogModelRequest =>
  modelRequest('tales', 'file:models/tales.gguf', [manifestOf('tales.gguf', bytes)], fields)

describe('trust in catalog models', () => {
  const ann = makeSigner('ann')
  const bob = makeSigner('bob')
  const eve = makeSigner('eve')
  const { digest } = tales()
  const sbom = Buffer.from('{"packages":[]}')
  const withSbom = { sbom: { uri: 'file:tales.sbom', digest: sha256(sbom) } }
  const strict = { trust_policy: { mode: 'strict' as const } }
  let world: CatalogWorld
  beforeEach(async () => {
    world = new CatalogWorld()
    world.write('tales.gguf', bytes)
    world.write('tales.sbom', sbom)
    await world.start({ signers: [ann.config, bob.config] })
  })
  afterEach(() => world.remove())

  it('strict takes a model with a good signature and its SBOM', async () => {
    const model = await world.settled(tales({ ...strict, ...withSbom, signatures: [ann.sign(digest), eve.sign(digest)] }))
    assert.equal(model.verification?.status, 'pass')
    assert.equal(model.verification.warnings, undefined)
  })

  const refused: [string, Partial<CatalogModelRequest>, RegExp][] = [
    ['without a signature', { ...withSbom }, /signatures: needs one by a key of catalog\.signers; there is none/],
    ['by an unknown signer', { ...withSbom, signatures: [eve.sign(digest)] }, /none of eve counts/],
    [
      'by a signer its policy does not name',
      { ...withSbom, signatures: [ann.sign(digest)], trust_policy: { mode: 'strict', signers: ['bob'] } },
      /none of ann counts/,
    ],
    [
      'with a signature of something else',
      { ...withSbom, signatures: [bob.sign(digest), ann.sign(sha256('x'))] },
      /signatures\.1\.value: is not ann's/,
    ],
    [
      'with a signature that is none',
      { ...withSbom, signatures: [{ signer: 'ann', algo: 'ed25519', value: 'AAAA' }] },
      /signatures\.0\.value: is not ann's/,
    ],
    [
      "with another's signature in a known name",
      { ...withSbom, signatures: [{ ...eve.sign(digest), signer: 'ann' }] },
      /signatures\.0\.value: is not ann's/,
    ],
    ['without an SBOM', { signatures: [ann.sign(digest)] }, /body\.sbom: trust policy strict needs one/],
    [
      'with another SBOM',
      { sbom: { uri: 'file:tales.sbom', digest: sha256('x') }, signatures: [ann.sign(digest)] },
      /body\.sbom\.digest: the SBOM has/,
    ],
  ]
  for (const [what, fields, message] of refused)
    it(`strict refuses a model ${what} with 422 and keeps nothing`, async () => {
      const answer = await world.create(tales({ ...strict, ...fields }))
      assert.equal(answer.status, 422, answer.text)
      assert.equal(answer.json['code'], 'UNTRUSTED_ARTIFACT')
      assert.match(String(answer.json['message']), message)
      assert.deepEqual(responseProblems('createCatalogModel', answer), [])
      assert.equal((await world.ask('GET', '/v1/catalog/models/tales')).status, 404)
    })

  it('permissive takes all of them and warns', async () => {
    for (const [what, fields] of refused) {
      const model = await world.settled({ ...tales({ ...fields, trust_policy: { ...fields.trust_policy, mode: 'permissive' } }) })
      assert.equal(model.verification?.status, 'pass', what)
      assert.ok((model.verification.warnings ?? []).length > 0, what)
      await world.ask('DELETE', '/v1/catalog/models/tales')
    }
    assert.ok(
      world.daemon.lines.filter(({ level, message }) => level === 'warn' && message.includes('not trusted')).length >= refused.length,
    )
  })

  it('strict does not serve a model whose SBOM changed later', async () => {
    await world.settled(tales({ ...strict, ...withSbom, signatures: [ann.sign(digest)] }))
    world.write('tales.sbom', 'other')
    const { verification } = await world.verify('tales')
    assert.equal(verification?.reason, 'sbom_mismatch')
    await assert.rejects(world.daemon.catalog.resolve('tales'), /sbom_mismatch/)
  })

  it('strict does not serve a model whose signer is not trusted any more', async () => {
    await world.settled(tales({ ...strict, ...withSbom, signatures: [ann.sign(digest)] }))
    await world.stop()
    await world.start({ signers: [bob.config] })
    const { verification } = await world.verify('tales')
    assert.equal(verification?.reason, 'unsigned')
  })
})
