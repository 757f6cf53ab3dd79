import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogModelRequest } from '../../src/domain/catalog/catalog.ts'
import { CatalogWorld, manifestOf, modelRequest, sha256, someBytes } from '../harness/catalog.ts'
import { responseProblems } from '../harness/contract.ts'
import { keys } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

const bytes = someBytes(5000)
const tales = (fields: Partial<CatalogModelRequest> = {}): CatalogModelRequest =>
  modelRequest('tales', 'file:models/tales.gguf', [manifestOf('tales.gguf', bytes)], fields)

describe('catalog of local models', () => {
  let world: CatalogWorld
  beforeEach(() => {
    world = new CatalogWorld()
    world.write('tales.gguf', bytes)
  })
  afterEach(() => world.remove())

  it('registers, verifies, shows, lists and forgets a model, and keeps to the contract', async () => {
    await world.start()
    const request = tales({ tags: ['demo'] })
    const created = await world.create(request)
    assert.equal(created.status, 201, created.text)
    assert.equal(created.headers.location, '/v1/catalog/models/tales')
    assert.deepEqual(responseProblems('createCatalogModel', created), [])
    const model = await world.over('tales')
    assert.equal(model.verification?.status, 'pass')
    assert.deepEqual(model.local, { status: 'present', bytes_done: 5000, bytes_total: 5000 })
    for (const query of ['', '?tag=demo', '?state=Active', '?limit=1']) {
      const listed = await world.ask('GET', `/v1/catalog/models${query}`, undefined, keys.data)
      assert.deepEqual(responseProblems('listCatalogModels', listed), [])
      assert.deepEqual(listed.json, { models: [model] })
    }
    for (const query of ['?tag=other', '?state=Retired'])
      assert.deepEqual((await world.ask('GET', `/v1/catalog/models${query}`)).json, { models: [] })
    const deleted = await world.ask('DELETE', '/v1/catalog/models/tales')
    assert.equal(deleted.status, 204)
    assert.equal((await world.ask('GET', '/v1/catalog/models/tales')).status, 404)
    assert.deepEqual(world.files(), ['tales.gguf'])
  })

  it('pages newest first', async () => {
    await world.start()
    for (const id of ['a', 'b', 'c']) await world.settled({ ...tales(), id })
    const first = await world.ask('GET', '/v1/catalog/models?limit=2')
    const ids = (json: Readonly<Record<string, unknown>>): string[] => (json['models'] as { id: string }[]).map(({ id }) => id)
    assert.deepEqual(ids(first.json), ['c', 'b'])
    const second = await world.ask('GET', `/v1/catalog/models?limit=2&cursor=${String(first.json['next_cursor'])}`)
    assert.deepEqual(ids(second.json), ['a'])
    assert.equal(second.json['next_cursor'], undefined)
  })

  it('gives the same model for the same request, and 409 for another one with its id', async () => {
    await world.start()
    await world.settled(tales())
    assert.equal((await world.create(tales())).status, 201)
    const other = await world.create(tales({ tags: ['new'] }))
    assert.equal(other.status, 409)
    assert.match(String(other.json['message']), /body\.id: tales is taken/)
  })

  it('knows its models and their verification after a restart', async () => {
    await world.start()
    const before = await world.settled(tales())
    await world.ask('POST', '/v1/catalog/models/tales/state', { state: 'Retired', deadline_ms: 5 })
    await world.stop()
    await world.start()
    const after = await world.get('tales')
    assert.equal(after.state, 'Retired')
    assert.deepEqual(after.verification, before.verification)
  })

  it('catches a file that changed by one byte, and does not serve it until it is mended', async () => {
    await world.start()
    await world.settled(tales())
    assert.match(await world.daemon.catalog.resolve('tales'), /tales\.gguf$/)
    const changed = Buffer.from(bytes)
    changed[4321]! ^= 1
    world.write('tales.gguf', changed)
    const failed = await world.verify('tales')
    assert.equal(failed.verification?.status, 'fail')
    assert.equal(failed.verification.reason, 'digest_mismatch')
    assert.match(failed.verification.message ?? '', /tales\.gguf: has digest sha256:/)
    await assert.rejects(world.daemon.catalog.resolve('tales'), /failed its verification \(digest_mismatch/)
    assert.throws(() => world.daemon.catalog.checkModel('catalog:tales'), /failed its verification/)
    world.write('tales.gguf', bytes)
    assert.equal((await world.verify('tales')).verification?.status, 'pass')
    assert.match(await world.daemon.catalog.resolve('tales'), /tales\.gguf$/)
  })

  it('notices a changed file when it is to be served, without having been asked to verify', async () => {
    await world.start()
    await world.settled(tales())
    const changed = Buffer.from(bytes)
    changed[0]! ^= 1
    world.write('tales.gguf', changed)
    await assert.rejects(world.daemon.catalog.resolve('tales'), /digest_mismatch/)
    assert.equal((await world.get('tales')).verification?.status, 'fail')
  })

  it('says how a file fails: gone, of another size, a link to outside', async () => {
    await world.start()
    await world.settled(tales())
    const outcomes: unknown[] = []
    const note = async (): Promise<void> => void outcomes.push((await world.verify('tales')).verification?.reason)
    world.write('tales.gguf', bytes.subarray(1))
    await note()
    rmSync(join(world.models_dir, 'tales.gguf'))
    await note()
    writeFileSync(join(world.root, 'secret'), bytes)
    symlinkSync(join(world.root, 'secret'), join(world.models_dir, 'tales.gguf'))
    await note()
    assert.deepEqual(outcomes, ['size_mismatch', 'missing_file', 'missing_file'])
  })

  it('refuses what is not a file below models_dir, and keeps nothing of it', async () => {
    await world.start()
    writeFileSync(join(world.root, 'secret'), bytes)
    symlinkSync(join(world.root, 'secret'), join(world.models_dir, 'link'))
    mkdirSync(join(world.models_dir, 'folder'))
    symlinkSync(world.root, join(world.models_dir, 'up'))
    mkdirSync(`${world.models_dir}-of-ann`)
    writeFileSync(join(`${world.models_dir}-of-ann`, 'hers'), bytes)
    symlinkSync('../models-of-ann', join(world.models_dir, 'neighbour'))
    const before = world.files()
    const cases: [string, string, RegExp][] = [
      ['file:../secret', 'secret', /source_url.*\.\./],
      ['file:models/../secret', 'secret', /source_url.*\.\./],
      [`file:${world.root}/secret`, 'secret', /source_url.*absolute/],
      [`file://${world.root}/secret`, 'secret', /source_url.*absolute/],
      ['file:folder', '../tales.gguf', /manifests\.0\.path.*\.\./],
      ['file:folder', `${world.root}/secret`, /manifests\.0\.path.*absolute/],
      ['file:folder', 'C:\\secret', /manifests\.0\.path.*backslash/],
      ['file:link', 'link', /manifests\.0\.path: link leads out of models_dir by a symbolic link/],
      ['file:up', 'secret', /manifests\.0\.path: up\/secret leads out of models_dir/],
      ['file:up/secret', 'secret', /leads out of models_dir/],
      ['file:neighbour', 'hers', /neighbour\/hers leads out of models_dir/],
      ['file:folder', 'folder', /manifests\.0\.path.*not a file/],
      ['file:nothing', 'nothing', /manifests\.0\.path: there is no file nothing/],
      ['file:.catalog/x/files/a', 'a', /source_url.*daemon's own/],
      ['ftp://host/x', 'x', /source_url: must begin with file:, https: or hf:/],
      ['http://host/x', 'x', /source_url: must begin with file:, https: or hf:/],
      ['tales.gguf', 'tales.gguf', /source_url: must begin with/],
      ['https://user:pass@host/x', 'x', /source_url: must not hold a user/],
      ['https://host/x?token=1', 'x', /source_url: must not hold a query/],
      ['hf:org', 'x', /source_url: must be hf:/],
      ['https://example.com/x', 'x', /source_url: example\.com:443 is not in catalog\.egress\.hosts/],
      ['hf:org/repo', 'x', /source_url: huggingface\.co:443 is not in catalog\.egress\.hosts/],
    ]
    for (const [source, path, message] of cases) {
      const refused = await world.create(modelRequest('bad', source, [manifestOf(path, bytes)]))
      assert.equal(refused.status, 400, `${source} ${path}: ${refused.text}`)
      assert.match(String(refused.json['message']), message)
      assert.doesNotMatch(refused.text, /pass@|token=1/)
    }
    assert.deepEqual((await world.ask('GET', '/v1/catalog/models')).json, { models: [] })
    assert.deepEqual(world.files(), before)
  })

  it('refuses a digest, a size or files that contradict each other', async () => {
    await world.start()
    const file = manifestOf('tales.gguf', bytes)
    const refusals: [Partial<CatalogModelRequest>, RegExp][] = [
      [{ digest: sha256('x') }, /body\.digest: must be the digest of its only file, sha256:/],
      [{ manifests: [file, { ...file, path: 'TALES.gguf' }] }, /manifests\.1\.path: is the file of body\.manifests\.0/],
      [{ manifests: [file, { ...file, path: 'tales.gguf/x' }] }, /lies below body\.manifests\.0\.path/],
      [{ manifests: [{ ...file, size_bytes: 4999 }] }, /manifests\.0\.size_bytes: the file has 5000 bytes/],
    ]
    for (const [fields, message] of refusals) {
      const { status, json } = await world.create(tales(fields))
      assert.equal(status, 400)
      assert.match(String(json['message']), message)
    }
    const two = [file, manifestOf('b/config.json', Buffer.from('{}'))]
    world.write('two/tales.gguf', bytes)
    world.write('two/b/config.json', '{}')
    const wrong = await world.create(modelRequest('two', 'file:two', two, { digest: file.digest }))
    assert.match(
      String(wrong.json['message']),
      /body\.digest: must be the SHA-256 of the canonical JSON \(RFC 8785\) of manifests, sha256:/,
    )
    assert.equal((await world.settled(modelRequest('two', 'file:two', two))).verification?.status, 'pass')
    assert.match(await world.daemon.catalog.resolve('two'), /two\/tales\.gguf$/)
  })

  it('retires a model, keeps its record, and brings it back', async () => {
    await world.start()
    await world.settled(tales())
    const retired = await world.ask('POST', '/v1/catalog/models/tales/state', { state: 'Retired', deadline_ms: 60_000 })
    assert.equal(retired.status, 202)
    assert.deepEqual(responseProblems('setCatalogModelState', retired), [])
    assert.equal(retired.json['state'], 'Retired')
    assert.match(String(retired.json['retire_deadline_at']), /^\d{4}-/)
    assert.equal(world.daemon.catalog.get('tales').state, 'Retired')
    assert.throws(() => world.daemon.catalog.checkModel('catalog:tales'), { code: 'MODEL_DEPRECATED' })
    // Whoever still has to finish something may load it until the deadline.
    assert.match(await world.daemon.catalog.resolve('tales'), /tales/)
    await world.ask('POST', '/v1/catalog/models/tales/state', { state: 'Retired', deadline_ms: 0 })
    await assert.rejects(world.daemon.catalog.resolve('tales'), { code: 'MODEL_DEPRECATED' })
    const back = await world.ask('POST', '/v1/catalog/models/tales/state', { state: 'Active' })
    assert.equal(back.json['retire_deadline_at'], undefined)
    world.daemon.catalog.checkModel('catalog:tales')
    const { text } = await call(world.daemon.url, '/metrics')
    assert.match(text, /model_state\{model_id="catalog:tales",state="Active"\} 1/)
    assert.match(text, /model_state\{model_id="catalog:tales",state="Retired"\} 0/)
    assert.match(text, /catalog_verifications_total\{result="pass",reason="none",engine="none"\} 1/)
  })

  it('keeps control to those who have the role', async () => {
    await world.start()
    const refused = await world.ask('POST', '/v1/catalog/models', tales(), keys.data)
    assert.equal(refused.status, 403)
  })
})
