import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, talesPool, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, type Answer } from '../harness/http.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const chat = '/v1/chat/completions'
const ask = (daemon: TestDaemon, path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  call(daemon.url, path, { method: 'POST', key: keys.data, headers, body: { model: 'mock:v1', messages, ...body } })

describe("sessions of the doors' clients", () => {
  const clock = new FakeClock()
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ sessions: { max_turns: 2, ttl_ms: 60_000 } }, { clock })
  })
  after(() => daemon.stop())

  const sessionOf = async (answer: Answer): Promise<unknown> => {
    assert.equal(answer.status, 200, answer.text)
    return (await call(daemon.url, `/v1/tasks/${String(answer.headers['x-task-id'])}`, { key: keys.data })).json['session_id']
  }

  it('have no limit of turns and live from their last request on', async () => {
    for (let i = 0; i < 6; i++) {
      assert.equal((await ask(daemon, chat, {}, { 'session-id': 'long' })).status, 200)
      const { json } = await call(daemon.url, '/v1/sessions/long', { key: keys.data })
      assert.deepEqual([json['turns'], json['ttl_ms_remaining']], [i + 1, 60_000])
      await clock.advance(50_000)
    }
    await clock.advance(10_000)
    assert.equal((await call(daemon.url, '/v1/sessions/long', { key: keys.data })).status, 404)
  })

  it('keep the time to live they were given', async () => {
    await call(daemon.url, '/v1/sessions/brief', { method: 'PUT', key: keys.data, body: { ttl_ms: 5000 } })
    await clock.advance(3000)
    await ask(daemon, chat, {}, { 'X-Orchd-Session': 'brief' })
    const { json } = await call(daemon.url, '/v1/sessions/brief', { key: keys.data })
    assert.equal(json['ttl_ms_remaining'], 5000)
  })

  it('leave native tasks their rules', async () => {
    for (let i = 0; i < 3; i++) assert.equal((await ask(daemon, chat, {}, { 'session-id': 'mixed' })).status, 200)
    const refused = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask({ session_id: 'mixed' }) })
    assert.deepEqual([refused.status, refused.json['code']], [403, 'BUDGET_EXHAUSTED'])
  })

  it('are named by the first of the headers and fields in which clients name them', async () => {
    const named: [string, Record<string, string>, object][] = [
      ['/v1/messages', { 'X-Orchd-Session': 'ours', 'x-claude-code-session-id': 'claude' }, {}],
      ['/v1/messages', { 'x-claude-code-session-id': 'claude', 'session-id': 'codex' }, {}],
      ['/v1/messages', {}, { metadata: { user_id: JSON.stringify({ device_id: 'd', session_id: 'user' }) } }],
      [chat, { 'session-id': 'codex', session_id: 'pi' }, {}],
      [chat, { session_id: 'pi', 'x-session-id': 'opencode' }, {}],
      [chat, { 'x-session-id': 'opencode' }, { prompt_cache_key: 'cache' }],
      [chat, {}, { prompt_cache_key: 'a key/with all' }],
      [chat, { 'X-Orchd-Session': 'long'.repeat(50) }, {}],
    ]
    const sessions: unknown[] = []
    for (const [path, headers, body] of named) sessions.push(await sessionOf(await ask(daemon, path, { max_tokens: 4, ...body }, headers)))
    assert.deepEqual(sessions, ['ours', 'claude', 'user', 'codex', 'pi', 'opencode', 'a-key-with-all', 'long'.repeat(32)])
  })

  it('are not there where nothing names one', async () => {
    const answer = await ask(daemon, chat, { user: 'someone' })
    assert.equal(await sessionOf(answer), answer.headers['x-task-id'])
  })
})

describe('what a model need not have', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [talesPool(), mockPool()] })
  })
  after(() => daemon.stop())

  const model = 'file:models/tinytales.gguf'
  const thought = [...messages, { role: 'assistant', content: 'Hi.', reasoning_content: 'A greeting.' }, ...messages]

  it('is dropped: thinking, thoughts, several calls at once', async () => {
    const dropped = { model, max_tokens: 4, messages: thought, reasoning_effort: 'high', parallel_tool_calls: true, tools: [] }
    assert.equal((await ask(daemon, chat, dropped)).status, 200)
    const thinking = { type: 'enabled', budget_tokens: 1024 }
    const blocks = [
      ...messages,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'A greeting.', signature: '' },
          { type: 'text', text: 'Hi.' },
        ],
      },
    ]
    for (const path of ['/v1/messages', '/v1/messages/count_tokens'])
      assert.equal((await ask(daemon, path, { model, max_tokens: 4, messages: [...blocks, ...messages], thinking })).status, 200, path)
  })

  it('is kept where the model has it', async () => {
    const { json } = await ask(daemon, chat, { reasoning_effort: 'minimal', seed: 3 })
    const { usage } = json as { usage: { completion_tokens_details: { reasoning_tokens: number } } }
    assert.equal(usage.completion_tokens_details.reasoning_tokens, 4)
  })

  it('is refused where a native task asks for it, and so is what changes the meaning, at any door', async () => {
    const native = { model_ref: model, messages, reasoning_effort: 'low', max_tokens: 4 }
    assert.equal((await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: native })).status, 400)
    const tools = [{ type: 'function', function: { name: 'read' } }]
    const refused = await ask(daemon, chat, { model, tools })
    assert.equal(refused.status, 400)
    assert.match(refused.text, /feature tools/)
  })
})
