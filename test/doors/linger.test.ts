import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { until, untilAnswer } from '../harness/wait.ts'

const page = 'https://page.example'
const hello = { model: 'mock:slow', messages: [{ role: 'user', content: 'Hello' }], stream: true }
const other = { ...hello, messages: [{ role: 'user', content: 'Something else' }] }

describe('a door whose client has gone', () => {
  const clock = new FakeClock()
  let daemon: TestDaemon
  beforeEach(async () => {
    const slow = mockPool({
      id: 'slow',
      model: 'mock:slow',
      mock: { prefill_ms: 100_000, token_ms: 0, tokens: 3 },
      timeouts: { idle_ms: 600_000, wall_ms: 600_000 },
    })
    daemon = await startDaemon({ pools: [slow], cors: { origins: [page] }, doors: { linger_ms: 1500 } }, { clock })
  })
  afterEach(() => daemon.stop())

  const connections = (): Promise<number> => new Promise((resolve) => daemon.server.getConnections((_, count) => resolve(count)))
  const live = () => [...daemon.live.all()]
  const cancels = (): number => daemon.lines.filter(({ fields }) => fields['event'] === 'cancel').length

  const send = (body: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(`${daemon.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': keys.data, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    })

  /** Sends a request and goes away while its task runs; its task. */
  async function leave(body: object, headers: Record<string, string> = {}): Promise<string> {
    const gone = new AbortController()
    const sent = send(body, headers, gone.signal)
    const before = live().length
    await until(() => live().length > before)
    const task = live().at(-1)?.accepted.task_id ?? ''
    await clock.advance(15_000)
    await sent
    const open = await connections()
    gone.abort()
    await untilAnswer(connections, (count) => count < open, 'the daemon to see that its client has gone')
    return task
  }

  it('keeps its task for a while, and gives it to the same request', async () => {
    const task = await leave(hello)
    await clock.advance(1000)
    const again = send(hello)
    await clock.advance(0)
    const seen = until(() => live().length === 1)
    await seen
    await clock.advance(100_000)
    const response = await again
    assert.deepEqual([response.headers.get('x-task-id'), response.headers.get('x-orchd-attached')], [task, 'true'])
    const text = await response.text()
    assert.ok(text.endsWith('data: [DONE]\n\n'), text)
    assert.match(text, /"role":"assistant"/)
    assert.equal(cancels(), 0)
  })

  it('has its task cancelled after that', async () => {
    await leave(hello)
    await clock.advance(1499)
    assert.equal(cancels(), 0)
    await clock.advance(1)
    await until(() => cancels() === 1)
  })

  it('has it cancelled at once when its session sends something else, and only then', async () => {
    await leave(hello, { 'session-id': 'one' })
    const others = [send(other, { 'session-id': 'two' })]
    await until(() => live().length === 2)
    assert.equal(cancels(), 0)
    others.push(send(other, { 'session-id': 'one' }))
    await until(() => cancels() === 1)
    await clock.advance(100_000)
    for (const answer of await Promise.all(others)) assert.equal(answer.headers.get('x-orchd-attached'), null)
  })

  it('gets no longer answer than it asks for when it comes back with another limit', async () => {
    await leave({ ...hello, max_tokens: 3 })
    const again = send({ ...hello, max_tokens: 2, stream: false })
    await until(() => live().length === 2)
    await clock.advance(100_000)
    const response = await again
    assert.equal(response.headers.get('x-orchd-attached'), null)
    const { usage } = (await response.json()) as { usage: { completion_tokens: number } }
    assert.equal(usage.completion_tokens, 2)
  })

  it('has a task of its own where the first one is still there', async () => {
    const both = [send(hello), send(hello)]
    await until(() => live().length === 2)
    await clock.advance(100_000)
    const [first, second] = await Promise.all(both)
    assert.notEqual(first?.headers.get('x-task-id'), second?.headers.get('x-task-id'))
  })

  it('finds its task done where it was sent to stay', async () => {
    const task = await leave(hello, { 'X-Orchd-Detach': 'true' })
    await clock.advance(100_000)
    const { json } = await call(daemon.url, `/v1/tasks/${task}`, { key: keys.data })
    assert.equal(json['state'], 'completed')
  })

  it('says what class its task is of, and when it has to be there', async () => {
    const running = Array.from({ length: 4 }, () => send(hello))
    await until(() => live().length === 4)
    const answer = send(hello, { 'X-Orchd-Priority': 'batch', 'X-Orchd-Deadline-Ms': '50000' })
    await until(() => live().length === 5)
    assert.equal(live()[4]?.priority, 'batch')
    await clock.advance(15_000)
    const response = await answer
    await clock.advance(35_000)
    const text = await response.text()
    await Promise.all(running)
    assert.match(text, /^(: [^\n]*\n\n)*data: \{"error":/)
    for (const [name, value] of [
      ['X-Orchd-Priority', 'urgent'],
      ['X-Orchd-Deadline-Ms', 'soon'],
    ] as const) {
      const refused = await send(hello, { [name]: value })
      assert.equal(refused.status, 400)
      assert.match(await refused.text(), new RegExp(`header\\.${name}`))
    }
  })

  it('may be a page: it reads the headers of a door, and may send its own', async () => {
    const headers = {
      Origin: page,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,x-orchd-session,x-stainless-os',
    }
    const asked = await call(daemon.url, '/v1/chat/completions', { method: 'OPTIONS', headers })
    assert.equal(asked.status, 204)
    assert.match(String(asked.headers['access-control-allow-headers']), /x-orchd-session/)
    const answer = await call(daemon.url, '/v1/models', { key: keys.data, headers: { Origin: page } })
    assert.match(String(answer.headers['access-control-expose-headers']), /X-Task-Id,X-Orchd-Attached.*request-id/)
  })
})
