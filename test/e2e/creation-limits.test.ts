import assert from 'node:assert/strict'
import { mockPool } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { untilAnswer } from '../harness/wait.ts'
import { authWith } from './budgets.kit.ts'
import { postTask, startStill, type Still } from './pools.kit.ts'

const plan = (content: string): Record<string, unknown> => ({ kind: 'plan', content, tags: [], metadata: {} })

/** What a form with a file of one line has to say. */
function form(content: string): FormData {
  const made = new FormData()
  made.set('purpose', 'batch')
  made.set('file', new Blob([content]), 'lines.jsonl')
  return made
}

describe('limits of what a key creates', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({
      auth: authWith({
        brisk: { requests_per_minute: 5 },
        hoarder: { stored_bytes: 10_000 },
        writer: { stored_bytes: 4000 },
        loner: { sessions: 2 },
      }),
      limits: { stored_bytes: 100_000 },
      sessions: { ttl_ms: 30_000 },
      pools: [mockPool()],
    })
  })
  after(() => daemon.stop())
  const create = (key: string, content: string): Promise<Answer> =>
    call(daemon.url, '/v1/artifacts', { method: 'POST', key, body: plan(content) })
  const upload = async (key: string, content: string): Promise<{ status: number; json: Record<string, unknown> }> => {
    const response = await fetch(`${daemon.url}/v1/files`, { method: 'POST', headers: { 'X-API-Key': key }, body: form(content) })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  const put = (key: string, id: string): Promise<Answer> => call(daemon.url, `/v1/sessions/${id}`, { method: 'PUT', key, body: {} })

  it('requests_per_minute: whatever creates something counts, at every door', async () => {
    const chat = { model: 'mock:v1', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 }
    assert.equal((await create('brisk', 'a')).status, 201)
    assert.equal((await put('brisk', 's')).status, 200)
    assert.equal((await upload('brisk', '{}')).status, 200)
    assert.equal((await call(daemon.url, '/v1/chat/completions', { method: 'POST', key: 'brisk', body: chat })).status, 200)
    assert.equal((await postTask(daemon, {}, 'brisk')).status, 202)
    const refused = [await create('brisk', 'b'), await put('brisk', 's'), await postTask(daemon, {}, 'brisk')]
    for (const { status, json } of refused) assert.deepEqual([status, json['policy_label']], [429, 'rate-limit'], JSON.stringify(json))
    const batch = { input_file_id: 'none', endpoint: '/v1/chat/completions', completion_window: '24h' }
    assert.equal((await call(daemon.url, '/v1/batches', { method: 'POST', key: 'brisk', body: batch })).status, 429)
    assert.equal((await upload('brisk', '{}')).status, 429)
    assert.equal((await call(daemon.url, '/v1/artifacts', { key: 'brisk' })).status, 200, 'who reads creates nothing')
  })

  it('stored_bytes: artifacts of one flood are counted one by one, and nothing more is taken of that key, tasks neither', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => create('hoarder', `${n}`.padEnd(900, 'x'))))
    const made = answers.filter(({ status }) => status === 201)
    assert.ok(made.length >= 9 && made.length <= 11, `${made.length} of about 1000 bytes each`)
    for (const { status, json, headers } of answers) {
      if (status === 201) continue
      assert.deepEqual([status, json['code'], json['policy_label']], [429, 'ADMISSION_REJECT', 'rate-limit'])
      assert.match(String(json['message']), /hoarder may keep 10000 bytes/)
      assert.ok(Number(headers['retry-after']) >= 1)
    }
    assert.equal((await create('other-key-of-tests', '')).status, 403)
    assert.equal((await create('writer', 'x')).status, 201, 'another key may')
  })

  it('stored_bytes: a file is cut off where it is too much, and one that is deleted gives its room back', async () => {
    const first = await upload('writer', 'x'.repeat(3000))
    assert.equal(first.status, 200)
    const second = await upload('writer', 'x'.repeat(3000))
    assert.equal(second.status, 429, JSON.stringify(second.json))
    assert.equal((await call(daemon.url, `/v1/files/${String(first.json['id'])}`, { method: 'DELETE', key: 'writer' })).status, 200)
    await untilAnswer(
      () => upload('writer', 'x'.repeat(3000)),
      ({ status }) => status === 200,
    )
  })

  it('stored_bytes: transcripts count, and a key that keeps too much gets no more tasks', async () => {
    const prompt = 'word '.repeat(300)
    await untilAnswer(
      () => postTask(daemon, { prompt, session_id: 'one' }, 'writer'),
      ({ status, json }) => status === 429 && String(json['message']).includes('stored_bytes'),
    )
  })

  it('sessions: so many at once, those of tasks among them; there is room when they have expired', async () => {
    const [first, ...others] = await Promise.all(['a', 'b', 'c', 'd'].map((id) => put('loner', id)))
    assert.equal([first, ...others].filter((answer) => answer?.status === 200).length, 2)
    const refused = await postTask(daemon, { session_id: 'e' }, 'loner')
    assert.equal(refused.status, 429)
    assert.match(String(refused.json['message']), /2 sessions/)
    assert.equal((await put('loner', 'a')).status, 200, 'one that is there may be renewed')
    const wait = Number(refused.headers['x-backoff-ms'])
    assert.ok(wait >= 1 && wait <= 60_000)
    await daemon.clock.advance(60_000)
    await untilAnswer(
      () => postTask(daemon, { session_id: 'e' }, 'loner'),
      ({ status }) => status === 202,
    )
  })
})
