import assert from 'node:assert/strict'
import { responseProblems } from '../harness/contract.ts'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { isComplete } from '../harness/door-streams.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { call, type Answer } from '../harness/http.ts'
import { repeats } from '../harness/long.ts'

const deaths = repeats({ quick: 12, long: 200 })
const fast = { prefill_ms: 0, token_ms: 0, tokens: 8 }
const messages = [{ role: 'user', content: 'Hello' }]
const doors = [
  ['createChatCompletion', '/v1/chat/completions', { messages }],
  ['createMessage', '/v1/messages', { messages, max_tokens: 8 }],
  ['createCompletion', '/v1/completions', { prompt: 'Hello', max_tokens: 8 }],
] as const

describe('engines that die in the middle of an answer', function () {
  this.timeout(600_000)
  const clock = new FakeClock()
  let daemon: TestDaemon
  before(async () => {
    const dies = (every: number): object => ({ ...fast, fault: { kind: 'die', after_tokens: 3, every } })
    const pools = [
      mockPool({ id: 'lost', model: 'mock:lost', mock: { ...dies(1), replayable: false, continues: false } }),
      mockPool({ id: 'replayed', model: 'mock:replayed', mock: dies(2) }),
    ]
    daemon = await startDaemon({ pools }, { clock })
  })
  after(() => daemon.stop())

  const isUp = (pool: string): boolean => daemon.pools.find(pool)?.ready === true

  /** One answer, with engines started again as time goes on. */
  async function answerOf(pool: string, i: number, fields: object = {}): Promise<Answer> {
    const [, path, body] = doors[i % doors.length]!
    while (!isUp(pool)) await clock.advance(1000)
    let answer: Answer | undefined
    const asked = call(daemon.url, path, { method: 'POST', key: keys.data, body: { model: `mock:${pool}`, ...body, ...fields } })
    const arrived = asked.then((given) => (answer = given))
    while (answer === undefined) await (isUp(pool) ? settled() : clock.advance(1000))
    return arrived
  }

  it(`${deaths} times, where nothing can be repeated: never an end that looks like one`, async () => {
    for (let i = 0; i < deaths; i++) {
      const stream = i % 2 === 0
      const answer = await answerOf('lost', i, { stream })
      assert.deepEqual(responseProblems(doors[i % doors.length]![0], answer), [])
      assert.equal(stream ? answer.status : answer.status >= 500, stream ? 200 : true)
      assert.equal(isComplete(answer.text), false, answer.text)
      assert.match(answer.text, /server error|server_error|overloaded/)
    }
  })

  it(`${deaths} times, where the same seed gives the same text: the client notices nothing`, async () => {
    for (let i = 0; i < deaths; i++) {
      const answer = await answerOf('replayed', i, { stream: true, seed: 7 })
      assert.equal(answer.status, 200)
      assert.deepEqual(responseProblems(doors[i % doors.length]![0], answer), [])
      assert.ok(isComplete(answer.text), answer.text)
    }
  })
})
