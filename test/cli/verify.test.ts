import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'
import { orchestratord, type Ended } from './command.ts'

/** Changes an answer's body. */
type Change = (path: string, text: string) => string

describe('verify and contract diff', () => {
  const dir = temporaryDir()
  const junit = join(dir.path, 'verify.xml')
  let daemon: TestDaemon
  let proxy: Server
  let url = ''
  let change: Change = (_, text) => text
  before(async () => {
    daemon = await startDaemon()
    proxy = createServer((request, response) => {
      // It has no end, so nothing of it is changed.
      if (request.url === '/v1/events') {
        const asked = get(`${daemon.url}${request.url}`, { headers: request.headers, agent: false }, (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers)
          answer.on('error', () => undefined).pipe(response)
        })
        asked.on('error', () => undefined)
        response.on('close', () => asked.destroy())
        return
      }
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const headers = Object.entries(request.headers).filter(([name]) => !/^(host|connection|content-length)$/.test(name))
        const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
        void fetch(`${daemon.url}${request.url ?? ''}`, {
          method: request.method ?? 'GET',
          headers: Object.fromEntries(headers) as Record<string, string>,
          ...body,
        })
          .then(async (answer) => [answer, await answer.text()] as const)
          .then(([answer, text]) => {
            const given = Object.fromEntries(
              [...answer.headers].filter(([name]) => !/^(connection|transfer-encoding|content-length|keep-alive)$/.test(name)),
            )
            response.writeHead(answer.status, given).end(change(request.url ?? '', text))
          })
      })
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })
  after(async () => {
    proxy.closeAllConnections()
    proxy.close()
    await daemon.stop()
    dir.remove()
  })
  beforeEach(() => (change = (_, text) => text))

  const verify = (args: readonly string[] = [], key: string = keys.all): Promise<Ended> =>
    orchestratord(['verify', '--url', url, '--key', key, ...args])

  it('says that this daemon keeps the contract, in text and as JUnit', async () => {
    const { status, stdout, stderr } = await verify(['--junit', junit])
    assert.deepEqual([status, stderr], [0, ''], stdout)
    const [, kept = ''] = /^(\d+) answers keep contract 1\.0\.0, 0 do not, \d+ were not asked for$/m.exec(stdout) ?? assert.fail(stdout)
    assert.ok(Number(kept) > 35)
    const xml = readFileSync(junit, 'utf8')
    assert.match(xml, /<testsuite name="orchestratord contract 1\.0\.0" tests="\d+" failures="0" skipped="\d+" errors="0">/)
    assert.match(xml, /<testcase classname="cancelTask" name="204 it" time="[\d.]+"><\/testcase>/)
    assert.match(xml, /<testcase classname="reloadPool" name="not asked"[^>]*><skipped message="[^"]+"\/><\/testcase>/)
  })

  it('asks for nothing that changes the deployment', async () => {
    const { stdout } = await verify(['--json'])
    const { checks } = JSON.parse(stdout) as { checks: { operation: string; skipped?: string }[] }
    const skipped = checks.filter((check) => check.skipped !== undefined).map(({ operation }) => operation)
    assert.deepEqual(skipped.sort(), [
      'createCatalogModel',
      'deleteCatalogModel',
      'drainPool',
      'getConfig',
      'loadPool',
      'reloadPool',
      'resumePool',
      'setCatalogModelState',
      'unloadPool',
      'verifyCatalogModel',
    ])
  })

  it('needs no more than the role data, and fails without it', async () => {
    assert.equal((await verify([], keys.data)).status, 0)
    assert.equal((await verify(['--read-only'], keys.control)).status, 1)
  })

  it('runs no task where it must not', async () => {
    const before = daemon.lines.length
    const { status, stdout } = await verify(['--read-only'])
    assert.equal(status, 0, stdout)
    assert.deepEqual(
      daemon.lines.slice(before).filter(({ fields }) => 'task_id' in fields && !('code' in fields)),
      [],
    )
  })

  it('takes what came later: fields, values and events', async () => {
    change = (path, text) => {
      if (path === '/v1/pools') return text.replaceAll('"engine":"mock"', '"engine":"new-engine","new_field":{"a":1}')
      return path.endsWith('/stream')
        ? text
            .replace('event: end', 'event: weather\ndata: fine\n\nevent: end')
            .replace('id: end\nevent: weather', 'event: weather')
            .replace('\n\nevent: end', '\n\nid: end\nevent: end')
        : text
    }
    const { status, stdout } = await verify()
    assert.equal(status, 0, stdout)
  })

  const broken: Record<string, [Change, RegExp]> = {
    'a field that is gone': [
      (path, text) => (path === '/v1/pools' ? text.replaceAll('"slots_busy":', '"busy":') : text),
      /^FAIL {2}listPools 200 the pools\n {6}data\/pools\/0 must have required property 'slots_busy'/m,
    ],
    'a token that is lost': [
      (_, text) => text.replace(/id: \S+\nevent: token\n.*\n\n/, ''),
      /^FAIL {2}streamTask 200 to its end\n {6}token 1 came where 0 was due$/m,
    ],
    'a stream that is cut off': [
      (path, text) => (path.endsWith('/stream') ? text.slice(0, -5) : text),
      /^FAIL {2}streamTask 200 to its end\n {6}Error: the stream is cut off/m,
    ],
    'an error without its envelope': [
      (_, text) => text.replace('"code":"NOT_FOUND"', '"error":"not found"'),
      /^FAIL {2}getTask 404 of nobody$/m,
    ],
    'text that comes again where a stream is resumed': [
      (path, text) =>
        path.endsWith('/stream') && !text.startsWith('id: 0') ? text.replace(/^id: (\S+)\nevent: token\n.*\n\n/, '$&$&') : text,
      /^FAIL {2}streamTask 200 from an event on$/m,
    ],
  }
  for (const [what, [changed, says]] of Object.entries(broken))
    it(`finds ${what}`, async () => {
      change = changed
      const { status, stdout, stderr } = await verify(['--junit', junit])
      assert.equal(status, 1, stdout)
      assert.match(stdout, says)
      assert.match(stderr, /^orchestratord: the deployment at http:\S+ breaks the contract: \d+ answers, see above\n$/)
      assert.match(readFileSync(junit, 'utf8'), /failures="[1-9]\d*".*[^]*<failure message="/)
    })

  it('holds to the contract that is given', async () => {
    const file = join(dir.path, 'contract.json')
    writeFileSync(file, await (await fetch(`${daemon.url}/openapi/orchestratord.json`)).text())
    assert.equal((await verify(['--contract', file])).status, 0)
    writeFileSync(file, '{')
    const { status, stderr } = await verify(['--contract', file])
    assert.equal(status, 2)
    assert.match(stderr, /^orchestratord: \S+contract\.json is no contract: .*\n$/)
  })

  it('contract diff says what breaks, and nothing where nothing does', async () => {
    const [old, now] = [join(dir.path, 'old.json'), join(dir.path, 'new.json')]
    const served = await (await fetch(`${daemon.url}/openapi/orchestratord.json`)).text()
    writeFileSync(old, served)
    writeFileSync(now, served)
    assert.deepEqual(await orchestratord(['contract', 'diff', old, now]), {
      status: 0,
      stdout: '1.0.0 breaks no client of 1.0.0\n',
      stderr: '',
    })
    const changed = JSON.parse(served) as { info: { version: string }; paths: Record<string, unknown> }
    changed.info.version = '2.0.0'
    delete changed.paths['/v1/pools']
    writeFileSync(now, JSON.stringify(changed))
    assert.deepEqual(await orchestratord(['contract', 'diff', old, now]), {
      status: 1,
      stdout: 'breaking: GET /v1/pools: the operation was removed\n',
      stderr: 'orchestratord: 2.0.0 breaks clients of 1.0.0 in 1 places: stay with 1.0.0, or change them\n',
    })
  })
})
