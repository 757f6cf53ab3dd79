import assert from 'node:assert/strict'
import { gunzipSync, brotliDecompressSync } from 'node:zlib'
import { request } from 'undici'
import { freshPage } from '../harness/fresh.ts'
import { encodingFor } from '../../src/http/web/files.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'

describe('the page as it is served', () => {
  let daemon: TestDaemon
  before(async () => {
    await freshPage()
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  const get = async (path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => {
    const answer = await request(daemon.url + path, { headers, method })
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) }
  }
  const asset = async (end: string): Promise<string> => {
    const [, path] = new RegExp(`"\\.(/assets/[^"]+\\.${end})"`).exec((await get('/')).body.toString()) ?? []
    assert.ok(path !== undefined)
    return path
  }

  it('needs no key and says what it may do', async () => {
    const { status, headers, body } = await get('/')
    assert.equal(status, 200)
    assert.match(body.toString(), /^<!doctype html>/)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'no-referrer'])
    assert.equal(headers['cache-control'], 'no-cache')
    assert.equal(/<script[^>]*>[^<]/.test(body.toString()), false, 'a script in the page itself')
  })

  it('is compressed as the reader takes it', async () => {
    const path = await asset('js')
    const plain = await get(path)
    assert.equal(plain.headers['content-encoding'], undefined)
    const br = await get(path, { 'Accept-Encoding': 'gzip, deflate, br, zstd' })
    const gzip = await get(path, { 'Accept-Encoding': 'gzip, br;q=0' })
    assert.deepEqual([br.headers['content-encoding'], gzip.headers['content-encoding']], ['br', 'gzip'])
    assert.ok(brotliDecompressSync(br.body).equals(plain.body) && gunzipSync(gzip.body).equals(plain.body))
    assert.deepEqual([br.headers['vary'], br.headers['content-length']], ['Accept-Encoding', String(br.body.length)])
  })

  it('is not sent again while it is what the reader has', async () => {
    for (const [path, caching] of [
      ['/', 'no-cache'],
      [await asset('css'), 'public, max-age=31536000, immutable'],
    ] as const) {
      const { headers } = await get(path)
      assert.equal(headers['cache-control'], caching)
      const again = await get(path, { 'If-None-Match': String(headers['etag']) })
      assert.deepEqual([again.status, again.body.length], [304, 0])
    }
  })

  it('tells a HEAD the same without the content', async () => {
    const [head, whole] = [await get('/', {}, 'HEAD'), await get('/')]
    assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, String(whole.body.length)])
  })

  it('is all of the file system that can be had', async () => {
    for (const path of [
      '/assets/../../package.json',
      '/assets/..%2f..%2fpackage.json',
      '/index.html',
      '/assets/',
      '/package.json',
      '/assets/x.js',
    ])
      assert.equal((await get(path, { 'X-API-Key': keys.all })).status, 404, path)
    assert.equal((await get('/assets/x.js')).status, 401)
  })

  it('takes an encoding that is named and not refused', () => {
    const given = ['', 'identity', 'br;q=0.5, gzip', 'GZIP', 'br; q=0.0, gzip;q=0', 'x-br']
    assert.deepEqual(given.map(encodingFor), ['identity', 'identity', 'br', 'gzip', 'identity', 'identity'])
  })
})
