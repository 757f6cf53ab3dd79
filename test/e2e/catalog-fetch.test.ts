import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogModelRequest } from '../../src/domain/catalog/catalog.ts'
import { CatalogWorld, makeSigner, manifestOf, modelRequest, sha256, someBytes } from '../harness/catalog.ts'
import { responseProblems } from '../harness/contract.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { fullAfter } from '../harness/file-handles.ts'
import { holdAfter, Hub } from '../harness/hub.ts'
import { until } from '../harness/wait.ts'

const bytes = someBytes(300_000)
const config = Buffer.from('{"layers":2}')
const repo = 'org/tiny'
const model = (fields: Partial<CatalogModelRequest> = {}): CatalogModelRequest =>
  modelRequest('tiny', `hf:${repo}`, [manifestOf('tiny.gguf', bytes)], fields)

describe('catalog models from a hub', () => {
  let world: CatalogWorld
  let hub: Hub
  const settings = (): Record<string, unknown> => ({ hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } })
  const ranges = (): (string | undefined)[] => hub.requests.map(({ headers }) => headers.range)
  const pauses = (): number[] =>
    world.daemon.lines.flatMap(({ fields }) => (typeof fields['delay_ms'] === 'number' ? [fields['delay_ms']] : []))
  /** Waits until the download pauses for the nth time, and moves the clock to the end of that. */
  const pastPause = async (clock: FakeClock, n: number): Promise<void> => {
    await until(() => pauses().length >= n)
    await clock.advance(pauses()[n - 1]!)
  }
  /** Breaks the connection when that many bytes have arrived. */
  const breakAt = async (bytes_done: number): Promise<void> => {
    await world.until('tiny', ({ local }) => local.bytes_done === bytes_done)
    hub.drop()
  }
  beforeEach(async () => {
    world = new CatalogWorld()
    hub = await Hub.start()
    hub.put(repo, 'tiny.gguf', bytes)
  })
  afterEach(async () => {
    await world.remove()
    await hub.stop()
  })

  it('fetches every file of a revision, verifies them and serves the first', async () => {
    await world.start(settings())
    hub.put(repo, 'tiny.gguf', bytes, 'refs%2Fpr%2F1')
    hub.put(repo, 'a%20b/config.json', config, 'refs%2Fpr%2F1')
    const created = await world.create(
      modelRequest('tiny', `hf:${repo}@refs/pr/1`, [manifestOf('tiny.gguf', bytes), manifestOf('a b/config.json', config)]),
    )
    assert.equal(created.status, 201, created.text)
    assert.equal((created.json['local'] as { status: string }).status, 'fetching')
    const done = await world.over('tiny')
    assert.equal(done.verification?.status, 'pass')
    assert.deepEqual(done.local, { status: 'present', bytes_done: bytes.length + config.length, bytes_total: bytes.length + config.length })
    const path = await world.daemon.catalog.resolve('tiny')
    assert.deepEqual(readFileSync(path), bytes)
    assert.ok(path.endsWith('.catalog/tiny/files/tiny.gguf'))
    assert.deepEqual(readdirSync(join(world.models_dir, '.catalog/tiny/parts')), [])
    assert.ok(world.daemon.lines.some(({ fields, message }) => fields['model_id'] === 'tiny' && message.includes('100 % is here')))
  })

  it('shows how far it is, answers 409 to a verification meanwhile, and takes everything away when it is deleted', async () => {
    await world.start(settings())
    hub.put(repo, 'tiny.gguf', holdAfter(bytes, 100_000))
    await world.create(model())
    const under = await world.until('tiny', ({ local }) => local.bytes_done === 100_000)
    assert.deepEqual(under.local, { status: 'fetching', bytes_done: 100_000, bytes_total: 300_000 })
    const early = await world.ask('POST', '/v1/catalog/models/tiny/verify')
    assert.equal(early.status, 409)
    assert.deepEqual(responseProblems('verifyCatalogModel', early), [])
    await assert.rejects(world.daemon.catalog.resolve('tiny'), /still being fetched/)
    assert.equal((await world.ask('DELETE', '/v1/catalog/models/tiny')).status, 204)
    assert.deepEqual(world.files(), [])
  })

  it('goes on where a connection broke', async () => {
    const clock = new FakeClock()
    await world.start(settings(), { clock })
    hub.put(repo, 'tiny.gguf', holdAfter(bytes, 120_000))
    await world.create(model())
    await breakAt(120_000)
    await pastPause(clock, 1)
    await breakAt(240_000)
    await pastPause(clock, 2)
    const { verification, local } = await world.over('tiny')
    assert.equal(verification?.status, 'pass', local.error)
    assert.deepEqual(ranges(), [undefined, 'bytes=120000-', 'bytes=240000-'])
  })

  it('goes on after a restart of the daemon', async () => {
    await world.start(settings())
    hub.put(repo, 'tiny.gguf', holdAfter(bytes, 100_000))
    await world.create(model())
    await world.until('tiny', ({ local }) => local.bytes_done === 100_000)
    await world.stop()
    hub.put(repo, 'tiny.gguf', bytes)
    await world.start(settings())
    assert.equal((await world.over('tiny')).verification?.status, 'pass')
    assert.deepEqual(ranges(), [undefined, 'bytes=100000-'])
  })

  for (const [what, status] of [
    ['ignores Range', 200],
    ['finds nothing left', 416],
  ] as const)
    it(`starts over where the server ${what}`, async () => {
      const clock = new FakeClock()
      await world.start(settings(), { clock })
      hub.put(repo, 'tiny.gguf', holdAfter(bytes, 1000))
      await world.create(model())
      await breakAt(1000)
      hub.put(repo, 'tiny.gguf', (req, res) => {
        if (status === 416 && req.headers.range !== undefined) res.writeHead(416).end()
        else res.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
      })
      await pastPause(clock, 1)
      assert.equal((await world.over('tiny')).verification?.status, 'pass')
      assert.equal(ranges()[1], 'bytes=1000-')
    })

  it('takes the file anew where the part was of another one', async () => {
    const clock = new FakeClock()
    await world.start(settings(), { clock })
    hub.put(repo, 'tiny.gguf', holdAfter(someBytes(300_000, 9), 1000))
    await world.create(model())
    await breakAt(1000)
    hub.put(repo, 'tiny.gguf', bytes)
    await pastPause(clock, 1)
    assert.equal((await world.over('tiny')).verification?.status, 'pass')
    assert.deepEqual(ranges(), [undefined, 'bytes=1000-', undefined])
  })

  it('gives up after attempts without progress, keeps what it has, and goes on when asked to verify', async () => {
    const clock = new FakeClock()
    await world.start(settings(), { clock })
    hub.put(repo, 'tiny.gguf', holdAfter(bytes, 1000))
    await world.create(model())
    await breakAt(1000)
    hub.put(repo, 'tiny.gguf', (_req, res) => void res.writeHead(503).end())
    for (let n = 1; n <= 7; n++) await pastPause(clock, n)
    const failed = await world.over('tiny')
    assert.deepEqual(failed.local, { status: 'failed', bytes_done: 1000, bytes_total: 300_000, error: 'tiny.gguf: the server answers 503' })
    assert.throws(() => world.daemon.catalog.checkModel('catalog:tiny'), /could not be fetched/)
    hub.put(repo, 'tiny.gguf', bytes)
    assert.equal((await world.verify('tiny')).verification?.status, 'pass')
    assert.equal(ranges().at(-1), 'bytes=1000-')
  })

  it('gives up where the disk is full, keeps what it has, and goes on when asked to verify', async () => {
    await world.start(settings())
    const makeRoom = await fullAfter(100_000)
    try {
      await world.create(model())
      const { local } = await world.over('tiny')
      assert.equal(local.error, 'tiny.gguf: cannot be written below models_dir (ENOSPC)')
      assert.ok(local.bytes_done > 0 && local.bytes_done < bytes.length, String(local.bytes_done))
    } finally {
      makeRoom()
    }
    const { bytes_done } = (await world.get('tiny')).local
    assert.equal((await world.verify('tiny')).verification?.status, 'pass')
    assert.deepEqual(ranges(), [undefined, `bytes=${bytes_done}-`])
  })

  it('gives up a server that falls silent for this attempt', async () => {
    const clock = new FakeClock()
    await world.start(settings(), { clock })
    hub.put(repo, 'tiny.gguf', holdAfter(bytes, 1000))
    await world.create(model())
    await world.until('tiny', ({ local }) => local.bytes_done === 1000)
    hub.put(repo, 'tiny.gguf', bytes)
    await clock.advance(30_000)
    await clock.advance(30_000)
    await pastPause(clock, 1)
    assert.equal((await world.over('tiny')).verification?.status, 'pass')
    assert.ok(world.daemon.lines.some(({ message }) => message.includes('the server was silent for 30000 ms')))
  })

  it('catches a fetched file that changed by one byte', async () => {
    await world.start(settings())
    await world.settled(model())
    const changed = Buffer.from(bytes)
    changed[150_000]! ^= 128
    world.write('.catalog/tiny/files/tiny.gguf', changed)
    assert.equal((await world.verify('tiny')).verification?.reason, 'digest_mismatch')
    await assert.rejects(world.daemon.catalog.resolve('tiny'), /digest_mismatch/)
    assert.equal(hub.requests.length, 1)
  })

  it('removes at start what was fetched for models nobody knows', async () => {
    world.write('.catalog/gone/files/x', 'x')
    await world.start(settings())
    assert.equal(existsSync(join(world.models_dir, '.catalog')), false)
  })

  it('registers nothing when it cannot be written down', async () => {
    await world.start(settings())
    await world.daemon.close()
    const { status, json } = await world.create(model())
    assert.equal(status, 503)
    assert.equal(json['code'], 'POOL_UNAVAILABLE')
    assert.deepEqual(world.files(), [])
  })

  describe('with an SBOM', () => {
    const signer = makeSigner('ann')
    const sbom = Buffer.from('{"packages":[]}')
    // https only: what is fetched here is refused by the rules of the address, and strict does not serve it.
    const uri = 'https://nowhere.test/sbom.json'

    for (const mode of ['strict', 'permissive'] as const)
      it(`that cannot be fetched: ${mode} ${mode === 'strict' ? 'does not serve it' : 'warns'}`, async () => {
        const resolveHost = (): Promise<string[]> => Promise.resolve(['10.0.0.7'])
        await world.start({ ...settings(), egress: { hosts: [hub.address, 'nowhere.test'] }, signers: [signer.config] }, { resolveHost })
        const { digest } = model()
        const found = await world.settled(
          model({ sbom: { uri, digest: sha256(sbom) }, signatures: [signer.sign(digest)], trust_policy: { mode } }),
        )
        const message = /nowhere\.test is at 10\.0\.0\.7, which is not a public address/
        if (mode === 'strict') {
          assert.equal(found.verification?.reason, 'sbom_mismatch')
          assert.match(found.verification.message ?? '', message)
        } else {
          assert.equal(found.verification?.status, 'pass')
          assert.match(found.verification.warnings?.join() ?? '', message)
        }
      })
  })
})
