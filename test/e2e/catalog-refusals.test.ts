import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { CatalogWorld, manifestOf, modelRequest, someBytes } from '../harness/catalog.ts'
import { endless, Hub } from '../harness/hub.ts'

const bytes = someBytes(300_000)
const repo = 'org/tiny'
const model = () => modelRequest('tiny', `hf:${repo}`, [manifestOf('tiny.gguf', bytes)])

describe('what a hub may not send', () => {
  let world: CatalogWorld
  let hub: Hub
  const settings = (): Record<string, unknown> => ({ hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } })
  beforeEach(async () => {
    world = new CatalogWorld()
    hub = await Hub.start()
  })
  afterEach(async () => {
    await world.remove()
    await hub.stop()
  })

  const refusals: [string, (hub: Hub) => void, RegExp, string | undefined][] = [
    [
      'an answer of 10 GB that says so',
      (to) => to.put(repo, 'tiny.gguf', endless(10 * 2 ** 30)),
      /tiny\.gguf: has 10737418240 bytes, it was announced with 300000/,
      'size_mismatch',
    ],
    ['an answer without an end', (to) => to.put(repo, 'tiny.gguf', endless()), /tiny\.gguf: has more than 300000 bytes/, 'size_mismatch'],
    [
      'a shorter file',
      (to) => to.put(repo, 'tiny.gguf', bytes.subarray(1)),
      /has 299999 bytes, it was announced with 300000/,
      'size_mismatch',
    ],
    [
      'another file',
      (to) => to.put(repo, 'tiny.gguf', someBytes(300_000, 7)),
      /has digest sha256:[0-9a-f]{64}, it was announced as sha256:/,
      'digest_mismatch',
    ],
    ['a file that is not there', (to) => to.routes.clear(), /tiny\.gguf: the server answers 404/, undefined],
    [
      'a compressed file',
      (to) => to.put(repo, 'tiny.gguf', (_req, res) => void res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bytes)),
      /content encoding/,
      undefined,
    ],
  ]
  for (const [what, arrange, message, reason] of refusals)
    it(`refuses ${what} and leaves nothing behind`, async () => {
      await world.start(settings())
      arrange(hub)
      const { local, verification } = await world.settled(model())
      assert.equal(local.status, 'failed')
      assert.match(local.error ?? '', message)
      assert.equal(local.bytes_done, 0)
      assert.equal(verification?.reason, reason)
      assert.deepEqual(world.files(), [])
      await assert.rejects(world.daemon.catalog.resolve('tiny'), /could not be fetched/)
    })

  it('does not write through a link', async () => {
    await world.start(settings())
    mkdirSync(join(world.root, 'elsewhere'))
    symlinkSync(join(world.root, 'elsewhere'), join(world.models_dir, '.catalog'))
    const { local } = await world.settled(model())
    assert.match(local.error ?? '', /\.catalog is a symbolic link/)
    assert.deepEqual(readdirSync(join(world.root, 'elsewhere')), [])
  })
})
