import assert from 'node:assert/strict'
import type { CatalogModelRequest } from '../../src/domain/catalog/catalog.ts'
import { CatalogWorld, makeSigner, manifestOf, modelRequest, sha256, someBytes } from '../harness/catalog.ts'
import { Hub, redirectTo } from '../harness/hub.ts'
import { trustTestCertificate } from '../harness/tls.ts'

const bytes = someBytes(50_000)
const repo = 'org/tiny'
const token = 'hf_secret-token'
const file = manifestOf('tiny.gguf', bytes)
const fromHub = (): CatalogModelRequest => modelRequest('tiny', `hf:${repo}`, [file])

describe('where models may be fetched from', () => {
  let world: CatalogWorld
  let hub: Hub
  let other: Hub
  let secure: Hub
  let distrust: () => void
  const resolved: string[] = []
  /** Names that exist only here: everything below .test is this machine. */
  const resolveHost = (host: string): Promise<string[]> => {
    resolved.push(host)
    return Promise.resolve([host.startsWith('private.') ? '192.168.7.7' : '127.0.0.1'])
  }
  const start = (...hosts: string[]): Promise<void> =>
    world.start({ hf_endpoint: `http://${hub.address}`, hf_token: token, egress: { hosts } }, { resolveHost })
  const failure = async (request: CatalogModelRequest): Promise<string> => {
    const { local } = await world.settled(request)
    assert.equal(local.status, 'failed')
    assert.deepEqual(world.files(), [])
    return local.error ?? ''
  }
  before(() => {
    distrust = trustTestCertificate()
  })
  after(() => distrust())
  beforeEach(async () => {
    world = new CatalogWorld()
    ;[hub, other, secure] = await Promise.all([Hub.start(), Hub.start(true), Hub.start(true)])
    other.routes.set('/cdn/tiny.gguf', bytes)
    secure.routes.set('/models/tiny.gguf', bytes)
    resolved.length = 0
  })
  afterEach(async () => {
    // Nothing that is logged or shown has the token or what a signed URL carries.
    const shown = JSON.stringify(world.daemon.lines) + (await world.ask('GET', '/v1/catalog/models')).text
    assert.doesNotMatch(shown, /secret-token|X-Amz-Signature/)
    await world.remove()
    await Promise.all([hub.stop(), other.stop(), secure.stop()])
  })

  it('the hub gets the token, the host it redirects to does not', async () => {
    await start(hub.address, other.address)
    hub.put(repo, 'tiny.gguf', redirectTo(`https://${other.address}/cdn/tiny.gguf?X-Amz-Signature=1`))
    const { verification, local } = await world.settled(fromHub())
    assert.equal(verification?.status, 'pass', local.error)
    assert.equal(hub.requests[0]?.headers.authorization, `Bearer ${token}`)
    assert.deepEqual(
      other.requests.map(({ path, headers }) => [path, headers.authorization]),
      [['/cdn/tiny.gguf?X-Amz-Signature=1', undefined]],
    )
  })

  it('a redirect within the hub keeps the token; one that comes back does not get it again', async () => {
    await start(hub.address, other.address)
    hub.put(repo, 'tiny.gguf', redirectTo('/moved', 307))
    hub.routes.set('/moved', redirectTo(`https://${other.address}/back`))
    other.routes.set('/back', redirectTo(`http://${hub.address}/end`))
    hub.routes.set('/end', bytes)
    assert.equal((await world.settled(fromHub())).verification?.status, 'pass')
    assert.deepEqual(
      hub.requests.map(({ path, headers }) => [path.split('/').at(-1), headers.authorization !== undefined]),
      [
        ['tiny.gguf', true],
        ['moved', true],
        ['end', false],
      ],
    )
  })

  it('nothing is fetched from hosts that are not listed, and the answer says so', async () => {
    await start()
    const refused = await world.create(fromHub())
    assert.equal(refused.status, 400)
    assert.equal(refused.json['message'], `body.source_url: ${hub.address} is not in catalog.egress.hosts`)
    assert.equal(hub.requests.length, 0)
  })

  it('a redirect to a private address is refused', async () => {
    await start(hub.address)
    for (const [target, message] of [
      [`https://${other.address}/cdn/tiny.gguf?X-Amz-Signature=1`, `a redirect leads to ${other.address} is not in catalog.egress.hosts`],
      ['https://169.254.169.254/latest/meta-data', 'a redirect leads to 169.254.169.254:443 is not in catalog.egress.hosts'],
      ['https://[::1]:8443/', 'a redirect leads to [::1]:8443 is not in catalog.egress.hosts'],
      ['https://2130706433/', 'a redirect leads to 127.0.0.1:443 is not in catalog.egress.hosts'],
      ['file:///etc/passwd', 'a redirect leads to file:// is not https'],
      ['https://user:pw@hub.test/', 'a redirect leads to the URL for hub.test holds a user or a password'],
      ['//', `a redirect by ${hub.address} is not a URL`],
    ] as const) {
      hub.put(repo, 'tiny.gguf', redirectTo(target))
      assert.equal(await failure(fromHub()), message)
      await world.ask('DELETE', '/v1/catalog/models/tiny')
    }
    assert.equal(other.requests.length, 0)
  })

  it('a listed name that leads to a private address is refused unless that address is listed, too', async () => {
    await start(hub.address, 'private.test', `cdn.hub.test:${other.port}`)
    hub.put(repo, 'tiny.gguf', redirectTo('https://private.test/x'))
    assert.match(
      await failure(fromHub()),
      /^private\.test is at 192\.168\.7\.7, which is not a public address; list 192\.168\.7\.7:443 in catalog\.egress\.hosts/,
    )
    await world.ask('DELETE', '/v1/catalog/models/tiny')
    hub.put(repo, 'tiny.gguf', redirectTo(`https://cdn.hub.test:${other.port}/cdn/tiny.gguf`))
    assert.match(await failure(fromHub()), /^cdn\.hub\.test is at 127\.0\.0\.1, which is not a public address/)
    assert.equal(other.requests.length, 0)
    await world.stop()
    await start(hub.address, `*.hub.test:${other.port}`, other.address)
    await world.ask('DELETE', '/v1/catalog/models/tiny')
    resolved.length = 0
    assert.equal((await world.settled(fromHub())).verification?.status, 'pass')
    // Once for the one connection: there is no second answer that could lead elsewhere.
    assert.deepEqual(resolved, ['cdn.hub.test'])
  })

  it('never goes from TLS to plain, and not around in circles', async () => {
    await start(hub.address, other.address, `hub.test:${secure.port}`, secure.address)
    secure.routes.set('/models/tiny.gguf', redirectTo(`http://${other.address}/cdn/tiny.gguf`))
    const plain = modelRequest('tiny', `https://hub.test:${secure.port}/models`, [file])
    assert.equal(await failure(plain), `a redirect leads to http://${other.address} is not https`)
    await world.ask('DELETE', '/v1/catalog/models/tiny')
    secure.routes.set('/models/tiny.gguf', redirectTo('/models/tiny.gguf'))
    assert.equal(await failure(plain), 'more than 5 redirects')
    assert.equal(secure.requests.length, 7)
  })

  it('fetches over TLS by name, and does not take a certificate of another name', async () => {
    await start(`hub.test:${secure.port}`, `bank.test:${secure.port}`, secure.address)
    const signer = makeSigner('ann')
    secure.routes.set('/sbom.json', Buffer.from('{}'))
    const sbom = { uri: `https://hub.test:${secure.port}/sbom.json`, digest: sha256('{}') }
    const single = modelRequest('tiny', `https://hub.test:${secure.port}/models/tiny.gguf`, [file], {
      sbom,
      signatures: [signer.sign(file.digest)],
    })
    const { verification } = await world.settled(single)
    assert.equal(verification?.status, 'pass')
    assert.deepEqual(verification.warnings?.length, 1, 'nobody knows the signer, but the SBOM is right')
    assert.equal(secure.requests[0]?.headers.host, `hub.test:${secure.port}`)
    assert.equal(secure.requests[0].headers.authorization, undefined)
    await world.ask('DELETE', '/v1/catalog/models/tiny')
    const wrong = modelRequest('bank', `https://bank.test:${secure.port}/models`, [file])
    assert.equal(await failure(wrong), `bank.test:${secure.port} cannot be reached (ERR_TLS_CERT_ALTNAME_INVALID)`)
  })
})
