import assert from 'node:assert/strict'
import OpenAI, { toFile } from 'openai'
import { jsonl, lineOf } from '../e2e/batches.kit.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { untilAnswer } from '../harness/wait.ts'

const slow = mockPool({ id: 'slow', model: 'mock:slow', mock: { token_ms: 20, tokens: 100_000 }, ctx: 200_000 })

describe('the client of OpenAI, with files and batches', function () {
  let daemon: TestDaemon
  let client: OpenAI
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool(), slow] })
    client = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: keys.data })
  })
  after(() => daemon.stop())

  const upload = async (lines: readonly object[]): Promise<string> => {
    const file = await client.files.create({ file: await toFile(Buffer.from(jsonl(lines)), 'lines.jsonl'), purpose: 'batch' })
    assert.deepEqual([file.object, file.filename, file.bytes], ['file', 'lines.jsonl', jsonl(lines).length])
    return file.id
  }
  const create = (input_file_id: string): Promise<OpenAI.Batch> =>
    client.batches.create({ input_file_id, endpoint: '/v1/completions', completion_window: '24h', metadata: { by: 'the test' } })

  it('has a batch done, and reads what came of it', async () => {
    const input = await upload([lineOf(1), lineOf(2), lineOf(3, { prompt: 7 })])
    const { id, metadata } = await create(input)
    assert.deepEqual(metadata, { by: 'the test' })
    const batch = await untilAnswer(
      () => client.batches.retrieve(id),
      ({ status }) => status === 'completed',
    )
    assert.deepEqual(batch.request_counts, { total: 3, completed: 2, failed: 1 })
    const answers = (await (await client.files.content(batch.output_file_id ?? '')).text()).trim().split('\n')
    assert.deepEqual(answers.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id).sort(), ['line-1', 'line-2'])
    assert.match(await (await client.files.content(batch.error_file_id ?? '')).text(), /"custom_id":"line-3".*"status_code":400/)
    const listed: string[] = []
    for await (const file of client.files.list({ limit: 1 })) listed.push(file.id)
    assert.deepEqual(listed.sort(), [input, batch.output_file_id, batch.error_file_id].sort())
    assert.equal((await client.files.delete(input)).deleted, true)
    await assert.rejects(client.files.retrieve(input), OpenAI.NotFoundError)
  })

  it('cancels one that is at work', async () => {
    const { id } = await create(await upload([lineOf(1, { model: 'mock:slow', max_tokens: 100_000 })]))
    await untilAnswer(
      () => client.batches.retrieve(id),
      ({ status }) => status === 'in_progress',
    )
    assert.ok(['cancelling', 'cancelled'].includes((await client.batches.cancel(id)).status))
    await untilAnswer(
      () => client.batches.retrieve(id),
      ({ status }) => status === 'cancelled',
    )
    const all: string[] = []
    for await (const batch of client.batches.list({ limit: 1 })) all.push(batch.id)
    assert.ok(all.includes(id))
    await assert.rejects(client.batches.cancel(id), OpenAI.ConflictError)
  })
})
