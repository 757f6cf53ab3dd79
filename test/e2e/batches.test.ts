import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { until } from '../harness/wait.ts'
import { BatchClient, jsonl, lineOf } from './batches.kit.ts'

describe('files and batches at the door of OpenAI', () => {
  let daemon: TestDaemon
  let client: BatchClient
  beforeEach(async () => {
    daemon = await startDaemon({
      pools: [mockPool(), mockPool({ id: 'slow', model: 'mock:slow', mock: { token_ms: 20, tokens: 100_000 }, ctx: 200_000 })],
      limits: { file_bytes: 1_000_000 },
    })
    client = new BatchClient(() => daemon.url, keys.data)
  })
  afterEach(() => daemon.stop())

  it('answers every line once, as its door would, and tells failures apart', async () => {
    const lines = [...Array.from({ length: 40 }, (_, n) => lineOf(n)), lineOf(40, { prompt: 7 }), lineOf(41, { model: 'nobody' })]
    const created = await client.create(lines)
    assert.equal(created.status, 'validating')
    const batch = await client.over(created.id)
    assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 42, completed: 40, failed: 2 }])
    const answers = await client.content(batch.output_file_id)
    assert.deepEqual(
      answers.map(({ custom_id }) => custom_id).sort(),
      lines
        .slice(0, 40)
        .map((_, n) => `line-${n}`)
        .sort(),
    )
    const [answer] = answers
    const direct = await client.json<{ choices: unknown; usage: unknown }>('/v1/completions', 'POST', {
      ...{ model: 'mock:v1', prompt: `Number ${answer?.custom_id.slice(5)}`, max_tokens: 4, seed: Number(answer?.custom_id.slice(5)) },
    })
    assert.equal(answer?.response?.status_code, 200)
    assert.deepEqual([answer.response.body['choices'], answer.response.body['usage']], [direct.choices, direct.usage])
    const failures = await client.content(batch.error_file_id)
    assert.deepEqual(failures.map(({ custom_id, response }) => [custom_id, response?.status_code]).sort(), [
      ['line-40', 400],
      ['line-41', 404],
    ])
    assert.match(JSON.stringify(failures), /prompt/)
  })

  it('does conversations and embeddings, too', async () => {
    const chat = {
      ...lineOf(1),
      url: '/v1/chat/completions',
      body: { model: 'mock:v1', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 3 },
    }
    const embedding = { ...lineOf(2), url: '/v1/embeddings', body: { model: 'mock:v1', input: ['a', 'b'] } }
    for (const line of [chat, embedding]) {
      const batch = await client.over((await client.create([line], line.url)).id)
      assert.equal(batch.status, 'completed')
      const [answer] = await client.content(batch.output_file_id)
      assert.equal(answer?.response?.body['object'], line === chat ? 'chat.completion' : 'list')
    }
  })

  it('names a field that is wrong in a line as its door does', async () => {
    const body = { model: 'mock:v1', input: ['a\ud800'] }
    const batch = await client.over((await client.create([{ ...lineOf(1), url: '/v1/embeddings', body }], '/v1/embeddings')).id)
    const [failure] = await client.content(batch.error_file_id)
    const direct = await client.call('/v1/embeddings', 'POST', body)
    assert.deepEqual([failure?.response?.status_code, failure?.response?.body], [400, await direct.json()])
    assert.match(JSON.stringify(failure), /"body\.input\b/)
  })

  it('refuses an input that is not one, line by line', async () => {
    const bad = `${jsonl([lineOf(1), lineOf(1), { ...lineOf(2), url: '/v1/embeddings' }])}\n{no\n`
    const input_file_id = await client.upload(bad)
    const { id } = await client.json<{ id: string }>('/v1/batches', 'POST', {
      input_file_id,
      endpoint: '/v1/completions',
      completion_window: '24h',
    })
    const { status, errors } = await client.over(id)
    assert.equal(status, 'failed')
    assert.deepEqual(
      errors?.data.map(({ code, line }) => [code, line]),
      [
        ['duplicate_custom_id', 2],
        ['invalid_url', 3],
        ['invalid_json_line', 5],
      ],
    )
  })

  it('cancels what is at work, and keeps what was answered', async () => {
    const lines = [lineOf(0), ...Array.from({ length: 30 }, (_, n) => lineOf(n + 1, { model: 'mock:slow', max_tokens: 100_000 }))]
    const { id } = await client.create(lines)
    await client.when(id, ({ request_counts }) => request_counts.completed === 1)
    await until(() => [...daemon.live.all('data')].length >= 16)
    const canceling = await client.json<{ status: string }>(`/v1/batches/${id}/cancel`, 'POST')
    assert.equal(canceling.status, 'cancelling')
    const batch = await client.over(id)
    assert.deepEqual([batch.status, batch.request_counts.completed], ['cancelled', 1])
    assert.equal([...daemon.live.all()].length, 0)
    assert.equal((await client.content(batch.output_file_id)).length, 1)
    assert.equal((await client.call(`/v1/batches/${id}/cancel`, 'POST')).status, 409)
  })

  it('lists, shows and deletes files, to their owner only', async () => {
    const text = jsonl([lineOf(1), lineOf(2, { prompt: '\u{1f44b}'.repeat(40_000) })])
    const first = await client.upload(text)
    const second = await client.upload(jsonl([lineOf(2)]))
    const list = await client.json<{ data: { id: string; bytes: number }[]; has_more: boolean }>('/v1/files?limit=1')
    assert.deepEqual([list.data.map(({ id }) => id), list.has_more], [[second], true])
    const next = await client.json<{ data: { id: string; bytes: number }[]; has_more: boolean }>(`/v1/files?limit=1&after=${second}`)
    assert.deepEqual(
      next.data.map(({ id, bytes }) => [id, bytes]),
      [[first, Buffer.byteLength(text)]],
    )
    assert.equal(await (await client.call(`/v1/files/${first}/content`)).text(), text)
    const other = new BatchClient(() => daemon.url, keys.other)
    assert.equal((await other.call(`/v1/files/${first}`)).status, 404)
    assert.deepEqual(await client.json(`/v1/files/${first}`, 'DELETE'), { id: first, object: 'file', deleted: true })
    assert.equal((await client.call(`/v1/files/${first}/content`)).status, 404)
  })

  it('refuses files that are none, and goes on', async () => {
    const post = (body: FormData): Promise<Response> => client.call('/v1/files', 'POST', body)
    assert.equal((await post(client.form('x'.repeat(1_000_001)))).status, 413)
    assert.equal((await post(client.form('a', 'assistants'))).status, 400)
    assert.equal((await post(client.form(Uint8Array.of(0xff, 0xfe)))).status, 400)
    const none = new FormData()
    none.set('purpose', 'batch')
    assert.equal((await post(none)).status, 400)
    assert.equal((await client.call('/v1/files', 'POST', {})).status, 415)
    assert.deepEqual((await client.json<{ data: unknown[] }>('/v1/files')).data, [])
  })
})
