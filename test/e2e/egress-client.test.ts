import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { buildConnector } from 'undici'
import { EgressClient, headerOf } from '../../src/adapters/models/egress-client.ts'
import { guardedConnect, type Resolve } from '../../src/adapters/models/guarded-connect.ts'
import { EgressRules } from '../../src/domain/catalog/egress.ts'
import { newGate } from '../harness/gate.ts'
import { Hub } from '../harness/hub.ts'

describe('the client of what leaves this machine', () => {
  let hub: Hub
  const never = new AbortController().signal
  const client = (resolve: Resolve, ...addresses: string[]): EgressClient => {
    const origin = `http://hub.test:${hub.port}`
    const hosts = ['hub.test', ...addresses].map((host) => `${host}:${hub.port}`)
    return new EgressClient({ rules: new EgressRules(hosts, origin), credentials: new Map(), resolve })
  }
  const at = (path: string): string => `http://hub.test:${hub.port}${path}`
  beforeEach(async () => {
    hub = await Hub.start()
  })
  afterEach(() => hub.stop())

  it('keeps connections for further requests to their origin, also past a redirect', async () => {
    const ports = new Set<number | undefined>()
    hub.routes.set('/a', (req, res) => {
      ports.add(req.socket.remotePort)
      res.writeHead(302, { Location: '/b' }).end()
    })
    hub.routes.set('/b', (req, res) => {
      ports.add(req.socket.remotePort)
      res.end('b')
    })
    const egress = client(() => Promise.resolve(['127.0.0.1']), '127.0.0.1')
    for (let n = 0; n < 3; n++) assert.equal(await (await egress.get(at('/a'), {}, never)).body.text(), 'b')
    assert.equal(hub.requests.length, 6)
    assert.ok(ports.size <= 2, `${ports.size} connections for 6 requests`)
  })

  it('goes to the next address where one does not answer, and to none that is not allowed', async () => {
    hub.routes.set('/a', Buffer.from('a'))
    const egress = client(() => Promise.resolve(['10.0.0.1', '127.0.0.2', '127.0.0.1']), '127.0.0.1', '127.0.0.2')
    assert.equal(await (await egress.get(at('/a'), {}, never)).body.text(), 'a')
    await assert.rejects(client(() => Promise.resolve(['127.0.0.2']), '127.0.0.2').get(at('/a'), {}, never), {
      kind: 'transient',
      message: `hub.test:${hub.port} cannot be reached (ECONNREFUSED)`,
    })
  })

  it('opens none to the private address of a name that has a public one, too', async () => {
    let strangers = 0
    // Listens where the name says that it is, too, but nobody may go.
    const inside = createServer((socket) => {
      strangers++
      socket.destroy()
    })
    await new Promise<void>((resolve) => inside.listen(hub.port, '127.0.0.2', resolve))
    try {
      hub.routes.set('/a', Buffer.from('a'))
      for (const addresses of [
        ['127.0.0.2', '127.0.0.1'],
        ['127.0.0.1', '127.0.0.2'],
      ]) {
        const egress = client(() => Promise.resolve(addresses), '127.0.0.1')
        assert.equal(await (await egress.get(at('/a'), {}, never)).body.text(), 'a')
      }
      assert.equal(strangers, 0)
    } finally {
      await new Promise((resolve) => inside.close(resolve))
    }
  })

  it('says that a name has no address, or cannot be resolved', async () => {
    await assert.rejects(client(() => Promise.resolve([])).get(at('/a'), {}, never), {
      kind: 'transient',
      message: 'hub.test has no address',
    })
    const unknown = (): Promise<never> => Promise.reject(Object.assign(new Error('secret'), { code: 'ENOTFOUND' }))
    await assert.rejects(client(unknown).get(at('/a'), {}, never), {
      kind: 'transient',
      message: `hub.test:${hub.port} cannot be reached (ENOTFOUND)`,
    })
  })

  it('leaves when it is aborted: while a name is resolved, before an answer, and within a redirect', async () => {
    const reason = new Error('enough')
    const aborted = async (egress: EgressClient, path: string, when: Promise<unknown>): Promise<void> => {
      const control = new AbortController()
      const answer = egress.get(at(path), {}, control.signal)
      void when.then(() => control.abort(reason))
      await assert.rejects(answer, (error) => error === reason)
    }
    const asked = Promise.withResolvers<undefined>()
    const silent = (): Promise<never> => {
      asked.resolve(undefined)
      return new Promise(() => undefined)
    }
    await aborted(client(silent), '/a', asked.promise)
    for (const [path, starts] of [
      ['/silent', false],
      ['/redirect', true],
    ] as const) {
      const came = Promise.withResolvers<undefined>()
      hub.routes.set(path, (_req, res) => {
        if (starts) res.writeHead(302, { Location: '/a' }).write('more to come')
        came.resolve(undefined)
      })
      await aborted(
        client(() => Promise.resolve(['127.0.0.1']), '127.0.0.1'),
        path,
        came.promise,
      )
    }
  })

  it('gives a body as it came, and the values of a header that came twice', async () => {
    const packed = gzipSync('a')
    hub.routes.set('/a', (req, res) => {
      assert.equal(req.headers['accept-encoding'], 'identity')
      res.writeHead(200, { 'Content-Encoding': 'gzip', 'X-Twice': ['1', '2'] }).end(packed)
    })
    const answer = await client(() => Promise.resolve(['127.0.0.1']), '127.0.0.1').get(at('/a'), {}, never)
    assert.equal(headerOf(answer, 'x-twice'), '1, 2')
    assert.equal(headerOf(answer, 'x-none'), undefined)
    assert.deepEqual(Buffer.from(await answer.body.arrayBuffer()), packed)
  })

  it('opens no connection to an address that is not allowed, where nobody has to look it up', async () => {
    const connect = guardedConnect(buildConnector, new EgressRules([], 'https://hub.test'), () => assert.fail('was looked up'))
    const error = await new Promise((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: String(hub.port) }, (...[failed]) => resolve(failed))
    })
    assert.match(String(error), /127\.0\.0\.1 is at 127\.0\.0\.1, which is not a public address/)
  })
  it('follows each kind of redirect, five of them, as who it is, and leaves what they say', async () => {
    const egress = client(() => Promise.resolve(['127.0.0.1']), '127.0.0.1')
    hub.routes.set('/b', Buffer.from('b'))
    for (const status of [301, 302, 303, 307, 308]) {
      const closed = newGate()
      hub.routes.set('/a', (_req, res) => {
        res.once('close', closed.resolve)
        res.writeHead(status, { Location: '/b' })
        const more = (): void => {
          while (!res.destroyed && res.write(Buffer.alloc(65_536)));
        }
        res.on('drain', more)
        more()
      })
      assert.equal(await (await egress.get(at('/a'), {}, never)).body.text(), 'b', String(status))
      await closed.promise
    }
    assert.deepEqual(new Set(hub.requests.map(({ headers }) => headers['user-agent'])), new Set(['orchestratord']))
    for (const status of [300, 304]) {
      hub.routes.set('/a', (_req, res) => void res.writeHead(status, { Location: '/b' }).end())
      assert.equal((await egress.get(at('/a'), {}, never)).statusCode, status)
    }
    for (let n = 0; n < 6; n++) hub.routes.set(`/${n}`, (_req, res) => void res.writeHead(302, { Location: `/${n + 1}` }).end())
    hub.routes.set('/6', Buffer.from('the end'))
    assert.equal(await (await egress.get(at('/1'), {}, never)).body.text(), 'the end')
    await assert.rejects(egress.get(at('/0'), {}, never), { kind: 'refused', message: 'more than 5 redirects' })
  })

  it('is told four addresses of a name, and keeps no connection that came to be with another', async () => {
    const found: { address: string; family: number }[][] = []
    let destroyed = 0
    const socket = { remoteAddress: '::1', destroy: () => void destroyed++ }
    const build = (({ lookup }: { lookup: (host: string, options: object, found: (error: unknown, all: never) => void) => void }) =>
      (_options: object, callback: (error: null, socket: object) => void) =>
        lookup('hub.test', {}, (_error, all) => {
          found.push(all)
          callback(null, socket)
        })) as unknown as typeof buildConnector
    const public_ = Array.from({ length: 9 }, (_, n) => (n === 1 ? '2001:4860::1' : `8.8.8.${n}`))
    const connect = guardedConnect(build, new EgressRules([], 'https://hub.test'), () => Promise.resolve(['10.0.0.1', ...public_]))
    const error = await new Promise((resolve) => {
      connect({ hostname: 'hub.test', protocol: 'https:', port: '' }, (...[failed]) => resolve(failed))
    })
    assert.match(String(error), /hub\.test is at ::1, which is not a public address; list \[::1\]:443 in catalog\.egress\.hosts/)
    assert.equal(destroyed, 1)
    assert.deepEqual(
      found[0],
      public_.slice(0, 4).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  })
})
