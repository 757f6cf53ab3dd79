import assert from 'node:assert/strict'
import { doorOperations } from '../../generated/doors.ts'
import { ApiError, ConnectionError, createClient, type BatchLine, type Client } from '../../sdk/src/index.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { collected, scripted } from './scripted.ts'

const line = (n: number, body: object = {}): BatchLine => ({
  custom_id: `line-${n}`,
  method: 'POST',
  url: '/v1/completions',
  body: { model: 'mock:v1', prompt: `Number ${n}`, max_tokens: 4, seed: n, ...body },
})
const endpoint = '/v1/completions'

describe('files and batches of the client', () => {
  it('are the operations of the contract, each once', async () => {
    const refused = (): Response => new Response('{}', { status: 418 })
    const { client, requests } = scripted(Array<typeof refused>(20).fill(refused))
    const { files, batches } = client
    const calls = [
      () => files.create([line(1)]),
      () => files.get('f'),
      () => files.list({ limit: 5 }),
      () => files.delete('f'),
      () => files.content('f'),
      () => batches.create({ input_file_id: 'f', endpoint }),
      () => batches.get('b'),
      () => batches.list({ limit: 5 }),
      () => batches.cancel('b'),
    ]
    for (const call of calls) await assert.rejects(call(), ApiError)
    const called = requests.map(({ method, url }) => `${method.toLowerCase()} ${new URL(url).pathname}`)
    const declared = Object.values(doorOperations).filter(({ path }) => /^\/v1\/(files|batches)/.test(path))
    const paths = declared.map(({ method, path }) => `${method} ${path.replace('{file}', 'f').replace('{batch}', 'b')}`)
    assert.deepEqual(called.sort(), paths.sort())
  })

  it('wait out a daemon that is away, ask ever less often, and tell what is wrong with a file', async () => {
    const answer = (body: object) => (): Response => Response.json(body)
    const gone = (): never => {
      throw new TypeError('fetch failed')
    }
    const working = answer({ id: 'b', status: 'in_progress' })
    const done = answer({ id: 'b', status: 'completed', output_file_id: 'f', error_file_id: null })
    const results = (): Response => new Response('{"custom_id":"a"}\n{"custom_id":"b"}')
    const { client, waits, asked } = scripted([working, working, gone, working, done, results])
    assert.deepEqual(
      (await collected(client.batches.results('b'))).map(({ custom_id }) => custom_id),
      ['a', 'b'],
    )
    assert.deepEqual(waits, [200, 400, 187.5, 1600])
    assert.deepEqual(asked(), [...Array<string>(5).fill('GET /v1/batches/b'), 'GET /v1/files/f/content'])
    const envelope = {
      error: { message: 'purpose must be batch', type: 'invalid_request_error', param: 'purpose', code: 'invalid_params' },
    }
    const refusing = scripted([() => Response.json(envelope, { status: 400 })]).client
    await assert.rejects(refusing.files.create(''), {
      name: 'ApiError',
      status: 400,
      code: 'invalid_params',
      message: 'purpose must be batch',
    })
  })

  it('are waited for until they are over, at least every five seconds, however often the daemon is away between', async () => {
    const answer = (status: string) => (): Response => Response.json({ id: 'b', status })
    for (const over of ['completed', 'failed', 'expired', 'cancelled']) {
      const working = ['validating', 'in_progress', 'finalizing', 'cancelling', 'in_progress', 'in_progress', 'in_progress']
      const { client, waits } = scripted([...working, over].map(answer))
      assert.equal((await client.batches.ended('b')).status, over)
      assert.deepEqual(waits, [200, 400, 800, 1600, 3200, 5000, 5000])
    }
    const gone = (): never => {
      throw new TypeError('fetch failed')
    }
    const often = Array.from({ length: 10 }, () => [answer('in_progress'), gone]).flat()
    const { client, left } = scripted([...often, answer('completed')], { patience_ms: 300 })
    assert.equal((await client.batches.ended('b')).status, 'completed')
    assert.deepEqual(left, [])
  })

  it('tell of results that break off, and of a wait that is ended', async () => {
    const done = (): Response => Response.json({ id: 'b', status: 'completed', output_file_id: 'f', error_file_id: null })
    const broken = (): Response => {
      const chunks = [new TextEncoder().encode('{"custom_id":"a"}\n{"cust')]
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
        const chunk = chunks.shift()
        if (chunk === undefined) controller.error(new TypeError('terminated'))
        else controller.enqueue(chunk)
      }
      return new Response(new ReadableStream({ pull }))
    }
    const results = scripted([done, broken]).client.batches.results('b')
    assert.equal((await results.next()).value?.custom_id, 'a')
    await assert.rejects(results.next(), ConnectionError)
    const stop = new AbortController()
    const endless = scripted([
      () => {
        stop.abort(new Error('enough'))
        return Response.json({ id: 'b', status: 'in_progress' })
      },
    ])
    await assert.rejects(endless.client.batches.ended('b', { signal: stop.signal }), /enough/)
  })

  describe('against a daemon', () => {
    let daemon: TestDaemon
    let client: Client
    before(async () => {
      daemon = await startDaemon({
        pools: [mockPool(), mockPool({ id: 'slow', model: 'mock:slow', mock: { token_ms: 60_000, tokens: 100 } })],
      })
      client = createClient({ baseUrl: daemon.url, key: keys.data })
    })
    after(() => daemon.stop())

    it('answer each line once, and tell failures apart', async () => {
      const lines = [...Array.from({ length: 20 }, (_, n) => line(n)), line(20, { prompt: 7 })]
      const file = await client.files.create(lines, { filename: 'mine.jsonl' })
      assert.deepEqual([file.purpose, file.filename], ['batch', 'mine.jsonl'])
      const { id } = await client.batches.create({ input_file_id: file.id, endpoint, metadata: { of: 'ann' } })
      const results = await collected(client.batches.results(id))
      const statuses = Object.fromEntries(results.map(({ custom_id, response }) => [custom_id, response?.status_code]))
      assert.deepEqual(statuses, Object.fromEntries(lines.map(({ custom_id }, n) => [custom_id, n < 20 ? 200 : 400])))
      assert.equal(results.length, lines.length)
      const batch = await client.batches.get(id)
      assert.deepEqual([batch.status, batch.metadata, batch.request_counts.completed], ['completed', { of: 'ann' }, 20])
      assert.ok((await client.batches.list()).data.some((one) => one.id === id))
      assert.ok((await client.files.list({ purpose: 'batch' })).data.some((one) => one.id === file.id))
      assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true })
      await assert.rejects(client.files.get(file.id), { name: 'ApiError', status: 404 })
    })

    it('are cancelled, and take text as it is', async () => {
      const file = await client.files.create(`${JSON.stringify(line(1, { model: 'mock:slow' }))}\n`)
      assert.deepEqual(await client.files.get(file.id), file)
      const { id } = await client.batches.create({ input_file_id: file.id, endpoint })
      await client.batches.cancel(id)
      assert.equal((await client.batches.ended(id)).status, 'cancelled')
      await assert.rejects(client.batches.create({ input_file_id: 'none', endpoint }), (error) => {
        assert.ok(error instanceof ApiError)
        assert.match(error.message, /none/)
        return error.status === 404
      })
    })
  })
})
