import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../../harness/daemon.ts'
import { until } from '../../harness/wait.ts'

const headers = { Authorization: `Bearer ${keys.data}`, 'Content-Type': 'application/json' }
const hello = { model: 'mock:v1', messages: [{ role: 'user', content: 'Hello' }] }

describe('the door of OpenAI: chat', () => {
  let daemon: TestDaemon
  beforeEach(async () => {
    daemon = await startDaemon({
      pools: [mockPool(), mockPool({ id: 'slow', model: 'mock:slow', mock: { token_ms: 20, tokens: 4000 } })],
      doors: { linger_ms: 0 },
    })
  })
  afterEach(() => daemon.stop())

  const post = (body: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`${daemon.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    })

  const chunksOf = (text: string): Record<string, unknown>[] =>
    text.split('\n\n').flatMap((event) => (event.startsWith('data: {') ? [JSON.parse(event.slice(6)) as Record<string, unknown>] : []))

  it('gives the same answer whole and in chunks', async () => {
    const whole = await post({ ...hello, seed: 7 })
    const { choices, usage } = (await whole.json()) as { choices: [{ message: { content: string }; finish_reason: string }]; usage: object }
    const streamed = await post({ ...hello, seed: 7, stream: true, stream_options: { include_usage: true } })
    assert.match(streamed.headers.get('x-task-id') ?? '', /^[0-9a-f-]{36}$/)
    const text = await streamed.text()
    assert.ok(text.endsWith('data: [DONE]\n\n'))
    const chunks = chunksOf(text) as { choices: { delta: { content?: string }; finish_reason: string | null }[]; usage: object | null }[]
    assert.equal(chunks.flatMap((chunk) => chunk.choices[0]?.delta.content ?? []).join(''), choices[0].message.content)
    assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, choices[0].finish_reason)
    assert.deepEqual(chunks.at(-1)?.usage, usage)
    for (const chunk of chunks.slice(0, -1)) assert.equal(chunk.usage, null)
    assert.deepEqual(chunks.at(-1)?.choices, [])
  })

  it('clamps the limit of the answer to what the context has left', async () => {
    assert.equal((await post({ ...hello, max_tokens: 32_000_000 })).status, 200)
  })

  it('goes by the new limit of the answer where the old one is there, too', async () => {
    const answer = await post({ ...hello, max_tokens: 2, max_completion_tokens: 3 })
    const { usage } = (await answer.json()) as { usage: { completion_tokens: number } }
    assert.equal(usage.completion_tokens, 3)
  })

  it('passes what it does not know, null included', async () => {
    const body = {
      ...hello,
      store: false,
      metadata: { a: 1 },
      temperature: null,
      tools: [],
      tool_choice: 'auto',
      n: null,
      service_tier: 'auto',
    }
    assert.equal((await post(body)).status, 200)
  })

  it('tells errors as OpenAI does', async () => {
    const long = await post({ ...hello, messages: [{ role: 'user', content: 'word '.repeat(20_000) }] })
    const { error } = (await long.json()) as { error: Record<string, unknown> }
    assert.equal(long.status, 400)
    assert.equal(error['code'], 'context_length_exceeded')
    assert.match(
      String(error['message']),
      /^This model's maximum context length is 8192 tokens\. However, your messages resulted in \d+ tokens\.$/,
    )
    const several = await post({ ...hello, n: 2 })
    assert.deepEqual(await several.json(), {
      error: { message: 'body.n: only one answer is given', type: 'invalid_request_error', param: 'n', code: 'invalid_params' },
    })
    const wrong = await fetch(`${daemon.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...headers, Authorization: 'Bearer no' },
      body: '{',
    })
    assert.equal(wrong.status, 401)
    assert.equal(((await wrong.json()) as { error: { type: string } }).error.type, 'authentication_error')
  })

  it('cancels the task when its client goes', async () => {
    const leave = new AbortController()
    const response = await post({ ...hello, model: 'mock:slow', stream: true }, leave.signal)
    await response.body?.getReader().read()
    leave.abort()
    await until(() => daemon.lines.some(({ fields }) => fields['event'] === 'cancel'))
  })
})
