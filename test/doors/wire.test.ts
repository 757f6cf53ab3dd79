import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { until } from '../harness/wait.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const silent = mockPool({
  ...{ id: 'silent', model: 'mock:silent', timeouts: { idle_ms: 600_000, wall_ms: 600_000 } },
  mock: { prefill_ms: 100_000, token_ms: 0, tokens: 2 },
})

describe('what clients hide of the wire', () => {
  let clock: FakeClock
  let daemon: TestDaemon
  beforeEach(async () => {
    clock = new FakeClock()
    daemon = await startDaemon({ pools: [mockPool(), silent] }, { clock })
  })
  afterEach(() => daemon.stop())

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${daemon.url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${keys.data}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages, prompt: 'Hello', max_tokens: 8, ...body }),
    })
  const isWaiting = (): boolean => [...daemon.live.all()].length > 0

  for (const path of ['/v1/chat/completions', '/v1/completions'])
    it(`${path} tells the usage in a chunk of its own where it is asked to, and only there`, async () => {
      for (const [stream_options, chunks] of [
        [undefined, 0],
        [{ include_usage: false }, 0],
        [{ include_usage: true }, 1],
      ] as const) {
        const text = await (await post(path, { model: 'mock:v1', stream: true, stream_options })).text()
        assert.equal(text.split('"choices":[],"usage":{').length - 1, chunks, text)
        assert.match(
          text,
          chunks === 1 ? /"choices":\[\],[^\n]*\n\ndata: \[DONE\]\n\n$/ : /"finish_reason":"[a-z]+"[^\n]*\n\ndata: \[DONE\]\n\n$/,
        )
        assert.doesNotMatch(text, /^(event|id|retry):/m)
      }
    })

  for (const [path, sign] of [
    ['/v1/chat/completions', ': keep-alive'],
    ['/v1/completions', ': keep-alive'],
    ['/v1/messages', 'event: ping\ndata: {"type":"ping"}'],
  ] as const)
    it(`${path} sends its head after 15 seconds, then signs of life, and then the answer`, async () => {
      let answered = false
      const asked = post(path, { model: 'mock:silent', stream: true }).then((response) => {
        answered = true
        return response
      })
      await until(isWaiting)
      await clock.advance(14_999)
      assert.equal(answered, false)
      await clock.advance(1)
      const response = await asked
      assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
      await clock.advance(85_000)
      const text = await response.text()
      assert.equal(text.split(`${sign}\n\n`).length - 1, 5, text)
      assert.ok(text.startsWith(`${sign}\n\n`))
    })

  for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/messages'])
    it(`${path} sends blanks before an answer that comes whole`, async () => {
      const asked = post(path, { model: 'mock:silent' })
      await until(isWaiting)
      await clock.advance(100_000)
      const text = await (await asked).text()
      assert.match(text, /^ {6}\{/)
      assert.ok(typeof JSON.parse(text) === 'object')
    })
})
