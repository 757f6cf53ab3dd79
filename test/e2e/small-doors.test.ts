import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { call, post, type Answer } from '../harness/http.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'
import { reload } from './pools.kit.ts'

describe('small doors: requests', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  const key = keys.data
  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> => call(daemon.url, path, { key, headers })

  /** Lines of the log from number `from` on that tell of something wrong: tasks of other tests may end meanwhile. */
  const trouble = (from: number): unknown[] => daemon.lines.slice(from).filter(({ level }) => level !== 'info')

  /** POSTs bytes as they are. */
  const sent = async (path: string, type: string, bytes: Uint8Array): Promise<Answer> => {
    const response = await fetch(`${daemon.url}${path}`, {
      method: 'POST',
      headers: { 'X-API-Key': key, 'Content-Type': type },
      body: bytes,
    })
    const text = await response.text()
    return { status: response.status, headers: {}, text, json: JSON.parse(text) as Answer['json'] }
  }

  it('Last-Event-ID with no value is a new reader', async () => {
    const task = mockTask()
    await post(daemon.url, key, task)
    const { status, text } = await get(`/v1/tasks/${task.task_id}/stream`, { 'Last-Event-ID': '' })
    assert.equal(status, 200, text)
    assert.match(text, /^id: 0\nevent: started\n/)
    assert.equal((await get(`/v1/tasks/${task.task_id}/stream`, { 'Last-Event-ID': ' x' })).status, 400)
  })

  it('any other header with no value says nothing, at the doors as well', async () => {
    const headers = { 'X-Orchd-Priority': '', 'X-Orchd-Deadline-Ms': '', 'X-Orchd-Session': '' }
    const body = { model: 'mock', messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 }
    const { status, text } = await call(daemon.url, '/v1/chat/completions', { method: 'POST', key, headers, body })
    assert.equal(status, 200, text)
  })

  it('integers of a query take digits only', async () => {
    for (const limit of ['1e1', '0x10', '%205', '5%20', '+5', '5.0', '-5', '', '1_0', '٥', '9'.repeat(17)])
      for (const path of ['/v1/tasks', '/v1/artifacts', '/v1/catalog/models', '/v1/pools/mock/queue']) {
        const { status, json } = await get(`${path}?limit=${limit}`)
        assert.equal(status, 400, `${path}?limit=${limit}`)
        assert.match(String(json['message']), /^query\.limit: /)
      }
    for (const limit of ['5', '005', '200']) assert.equal((await get(`/v1/tasks?limit=${limit}`)).status, 200, limit)
  })

  it('cursors are opaque and tell nothing of others', async () => {
    for (let i = 0; i < 3; i++) await post(daemon.url, keys.other, mockTask())
    const mine = [mockTask(), mockTask(), mockTask()]
    for (const task of mine) await post(daemon.url, key, task)
    const first = await get('/v1/tasks?limit=2')
    const cursor = String(first.json['next_cursor'])
    assert.match(cursor, /^[A-Za-z0-9_-]{43}$/)
    // What it is made of is not to be read from it.
    assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /\d{1,3} {5}/)
    const ids = ({ json }: Answer): string[] => (json['tasks'] as { task_id: string }[]).map(({ task_id }) => task_id)
    const second = await get(`/v1/tasks?limit=1&cursor=${cursor}`)
    assert.deepEqual([...ids(first), ...ids(second)], mine.map(({ task_id }) => task_id).reverse())
    assert.equal((await get('/v1/tasks?limit=2')).json['next_cursor'], cursor, 'the same place has the same cursor')
    // Of another key, another list, another place, and by hand.
    const foreign = await call(daemon.url, `/v1/tasks?cursor=${cursor}`, { key: keys.other })
    const guesses = [cursor.replace(/.$/, (c) => (c === 'A' ? 'E' : 'A')), cursor.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))]
    const bad = [
      foreign,
      await get(`/v1/artifacts?cursor=${cursor}`),
      ...(await Promise.all(guesses.map((one) => get(`/v1/tasks?cursor=${one}`)))),
    ]
    for (const { status, json } of [...bad, await get('/v1/tasks?cursor=5')]) {
      assert.equal(status, 400)
      assert.match(String(json['message']), /^query\.cursor: /)
    }
  })

  it("a client's lone surrogate is a 400 that names its field, not an error with a stack in the log", async () => {
    const from = daemon.lines.length
    for (const [path, body, field] of [
      ['/v1/tasks', '{"task_id":"torn-1","prompt":"a\\ud800b"}', 'body.prompt'],
      ['/v1/tasks', '{"task_id":"torn-2","messages":[{"role":"user","content":"\\uDFFF"}]}', 'body.messages.0.content'],
      ['/v1/tasks', '{"prompt":"p","metadata":{"\\ud83d":"x"}}', 'body.metadata'],
      ['/v1/artifacts', '{"kind":"plan","content":"\\udc00","tags":[]}', 'body.content'],
      ['/v1/chat/completions', '{"model":"mock","messages":[{"role":"user","content":"\\ud83d \\ude00"}]}', 'body.messages.0.content'],
    ] as const) {
      const { status, text } = await sent(path, 'application/json', Buffer.from(body))
      assert.equal(status, 400, text)
      assert.ok(text.includes(`${field}: has `), text)
    }
    assert.deepEqual(trouble(from), [])
    const whole = await sent('/v1/tasks', 'application/json', Buffer.from('{"prompt":"\\ud83d\\ude00","model_ref":"mock"}'))
    assert.equal(whole.status, 202, whole.text)
  })

  it('a body that is nested too deep is a 400 that says how deep it may be, not an error with a stack in the log', async () => {
    const from = daemon.lines.length
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    const tools = (levels: number): string =>
      `[{"type":"function","function":{"name":"f","parameters":{"type":"object","default":${nested(levels)}}}}]`
    const messages = '"messages":[{"role":"user","content":"a"}]'
    for (const levels of [200, 5000, 500_000])
      for (const [path, body] of [
        ['/v1/tasks', `{"task_id":"deep-${levels}",${messages},"tools":${tools(levels)}}`],
        ['/v1/tasks', `{"prompt":"\\ud83e\\udd8a","metadata":{"a":${nested(levels)}}}`],
        ['/v1/artifacts', `{"kind":"plan","content":"a","tags":[],"metadata":{"a":${nested(levels)}}}`],
        ['/v1/chat/completions', `{"model":"mock",${messages},"tools":${tools(levels)}}`],
      ] as const) {
        const { status, text } = await sent(path, 'application/json', Buffer.from(body))
        assert.equal(status, 400, text)
        assert.match(text, /body: is nested deeper than 200 levels; flatten it/)
      }
    assert.deepEqual(trouble(from), [])
    const whole = await sent('/v1/tasks', 'application/json', Buffer.from(`{"model_ref":"mock",${messages},"tools":${tools(194)}}`))
    assert.equal(whole.status, 202, whole.text)
  })

  it('UTF-16 bodies are 415, whether they say so or not', async () => {
    const text = JSON.stringify({ prompt: 'hi', model_ref: 'mock' })
    const wide = Buffer.from(text, 'utf16le')
    const marked = Buffer.from(`\ufeff${text}`, 'utf16le')
    for (const [type, bytes] of [
      ['application/json; charset=utf-16', wide],
      ['application/json; charset="UTF-16LE"', wide],
      ['application/json;charset=utf-32', wide],
      ['application/json', wide],
      ['application/json', marked],
      ['application/json', Buffer.from(marked).swap16()],
      ['application/json', Buffer.from(wide).swap16()],
    ] as const) {
      const { status, json } = await sent('/v1/tasks', type, bytes)
      assert.equal(status, 415, type)
      assert.match(String(json['message']), /UTF-8/)
    }
    for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`)])
      assert.equal((await sent('/v1/tasks', 'application/json; charset=UTF-8', bytes)).status, 202)
  })
})

describe('small doors: the development key', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ auth: {} })
  })
  after(() => daemon.stop())

  for (const name of [
    'CF-Connecting-IP',
    'X-Client-IP',
    'True-Client-IP',
    'X-Original-Forwarded-For',
    'X-Envoy-External-Address',
    'X-Cluster-Client-IP',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'X-Azure-ClientIP',
    'X-Appengine-User-IP',
    'X-Original-Host',
    'CDN-Loop',
  ])
    it(`does not work through a proxy that sends ${name}`, async () => {
      const { status, json } = await call(daemon.url, '/v1/pools', { key: 'valid', headers: { [name]: '127.0.0.1' } })
      assert.equal(status, 403)
      assert.match(String(json['message']), new RegExp(`proxy \\(${name.toLowerCase()}\\).*auth\\.keys`))
    })

  it('does not work through a proxy that adds nothing (HTTP/1.0)', async () => {
    const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1')
    socket.write(`GET /v1/pools HTTP/1.0\r\nHost: 127.0.0.1\r\nX-API-Key: valid\r\n\r\n`)
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk)
    assert.match(text, /^HTTP\/1\.1 403 /)
    assert.match(text, /HTTP\/1\.0, as proxies send it.*auth\.keys/)
  })
})

describe('small doors: model files', () => {
  const dir = temporaryDir()
  const models_dir = join(dir.path, 'models')
  let daemon: TestDaemon
  before(async () => {
    mkdirSync(models_dir)
    mkdirSync(join(dir.path, 'models-of-ann'))
    for (const to of ['models/tales.gguf', 'models-of-ann/hers.gguf']) copyFileSync(join(modelsDir, 'tinytales.gguf'), join(dir.path, to))
    writeFileSync(join(dir.path, 'secret'), 'a')
    symlinkSync('loop', join(models_dir, 'loop'))
    symlinkSync('..', join(models_dir, 'up'))
    symlinkSync('../models-of-ann', join(models_dir, 'neighbour'))
    daemon = await startDaemon({ models_dir, pools: [talesPool({ model: 'file:models/tales.gguf' }), mockPool()] })
  })
  after(async () => {
    await daemon.stop()
    dir.remove()
  })

  it('reloadPool tells neither the absolute models directory nor which files exist outside it', async () => {
    const answers = async (...names: string[]): Promise<string[]> => {
      const told: string[] = []
      for (const name of names) {
        const { status, text, json } = await reload(daemon, 'tales', `file:${name}`)
        assert.equal(status, 400, `${name}: ${text}`)
        assert.ok(!text.replaceAll(name, 'NAME').includes(dir.path), text)
        told.push(String(json['message']).replaceAll(name, 'NAME'))
      }
      return told
    }
    // What is there and what is not sound alike, by whatever way it leads out.
    for (const [there, nowhere] of [
      ['../secret', '../nothing'],
      [join(dir.path, 'secret'), '/nothing'],
      ['up/secret', 'up/nothing'],
      ['up/models-of-ann/hers.gguf', 'up/models-of-ann/his.gguf'],
      ['neighbour/hers.gguf', 'neighbour/nothing'],
    ] as const) {
      const [one, other] = await answers(there, nowhere)
      assert.equal(one, other, there)
    }
    await answers('loop', 'a'.repeat(300), 'a\u0000b', 'tales.gguf/x', '.', 'up')
  })

  it('nor does the catalog tell which files exist behind a link', async () => {
    const asked = async (path: string): Promise<string> => {
      const manifests = [{ path: path.split('/').at(-1) ?? '', digest: `sha256:${'0'.repeat(64)}`, size_bytes: 1 }]
      const body = { id: 'm', digest: `sha256:${'0'.repeat(64)}`, source_url: `file:${path}`, tags: [], manifests, signatures: [] }
      const answer = await call(daemon.url, '/v1/catalog/models', {
        method: 'POST',
        key: keys.control,
        body: { ...body, trust_policy: { mode: 'permissive' } },
      })
      assert.equal(answer.status, 400, answer.text)
      return String(answer.json['message']).replaceAll(path, 'NAME')
    }
    assert.equal(await asked('up/secret'), await asked('up/nothing'))
    assert.equal(await asked('neighbour/hers.gguf'), await asked('neighbour/his.gguf'))
  })
})
