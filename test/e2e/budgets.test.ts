import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { keys, mockTask } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import {
  assertExhausted,
  authWith,
  lastMetrics,
  leftIn,
  leftInHeaders,
  leftOfSession,
  nanoOf,
  pricedPool,
  putSession,
} from './budgets.kit.ts'
import { accepted, endOf, getTask, postTask, read, startStill, stream, untilState, type Still } from './pools.kit.ts'

/** Tokens a `mockTask` with `max_tokens: 16` reserves, and uses. */
const reserved = 4 + 16
const used = 4 + 8

describe('budgets of sessions', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({
      auth: authWith({ thrifty: { budgets: { tokens: 100, cost: 0.00006, time_ms: 4000 } } }),
      cors: { origins: ['http://page.test'] },
      sessions: { max_turns: 1000 },
      pools: [
        pricedPool(),
        pricedPool({ id: 'single', model: 'mock:single', replicas: [{ id: 'r0', slots: 1 }] }),
        pricedPool({
          id: 'failing',
          model: 'mock:failing',
          mock: { prefill_ms: 1000, token_ms: 100, tokens: 8, fault: { kind: 'fail', after_tokens: 3, every: 1 } },
        }),
      ],
    })
  })
  after(() => daemon.stop())

  let made = 0
  const session = async (budgets: Record<string, unknown>): Promise<string> => {
    const id = `budget-${++made}`
    assert.equal((await putSession(daemon, id, { budgets })).status, 200)
    return id
  }
  const ask = (session_id: string, fields: Record<string, unknown> = {}, key?: string): Promise<Answer> =>
    postTask(daemon, { session_id, max_tokens: 16, ...fields }, key)
  const run = (session_id: string, fields: Record<string, unknown> = {}): Promise<string> =>
    accepted(daemon, { session_id, max_tokens: 16, ...fields })

  for (const [name, budget, room] of [
    ['tokens', { tokens: reserved * 10 + 19 }, { tokens: reserved }],
    ['cost', { cost: (nanoOf(4, 16) * 10) / 1e9 }, { cost: nanoOf(4, 16) }],
  ] as const)
    it(`let no more in than there are ${name} for, however many come at once`, async () => {
      const id = await session(budget)
      const start = await leftOfSession(daemon, id)
      const agent = new Agent({ keepAlive: true, maxSockets: 200 })
      const answers = await Promise.all(
        Array.from({ length: 200 }, () =>
          call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask({ session_id: id, max_tokens: 16 }), agent }),
        ),
      )
      agent.destroy()
      const tasks = answers.filter(({ status }) => status === 202).map(({ json }) => String(json['task_id']))
      assert.equal(tasks.length, 10)
      for (const answer of answers) if (answer.status !== 202) assertExhausted(answer, name, 'session')
      const held = await leftOfSession(daemon, id)
      for (const [field, each] of Object.entries(room))
        assert.equal(held[field as keyof typeof held], start[field as keyof typeof start]! - 10 * each)
      await daemon.clock.advance(2000)
      let tokens = 0
      let cost = 0
      for (const task_id of tasks) {
        const { data } = await endOf(daemon, task_id)
        tokens += Number(data?.['tokens_in']) + Number(data?.['tokens_out'])
        cost += nanoOf(Number(data?.['tokens_in']), Number(data?.['tokens_out']))
      }
      assert.equal(tokens, 10 * used)
      const left = await leftOfSession(daemon, id)
      if (name === 'tokens') assert.deepEqual(left, { tokens: start.tokens! - tokens })
      else assert.deepEqual(left, { cost: start.cost! - cost })
      assert.equal((await ask(id)).status, 202, 'what was not used is free again')
    })

  it('are shown on the 202, on the stream, in metrics and in getSession', async () => {
    const id = await session({ tokens: 100, time_ms: 60_000, cost: 0.0001 })
    const first = await ask(id)
    const held = { tokens: 100 - reserved, time: 60_000, cost: 100_000 - nanoOf(4, 16) }
    assert.deepEqual(leftInHeaders(first), held)
    assert.deepEqual(await leftOfSession(daemon, id), held)
    const task_id = String(first.json['task_id'])
    await untilState(daemon, task_id, 'running')
    const reader = await stream(daemon, task_id)
    assert.deepEqual(leftInHeaders(reader.response), held)
    await daemon.clock.advance(2000)
    await reader.closed
    assert.deepEqual(leftIn(reader.frames.find(({ event }) => event === 'metrics')?.data), { ...held, time: 59_000 })
    const settled = { tokens: 100 - used, time: 60_000 - 1700, cost: 100_000 - nanoOf(4, 8) }
    assert.deepEqual(leftIn(lastMetrics(reader.frames)), settled)
    assert.deepEqual(await leftOfSession(daemon, id), settled)
    assert.deepEqual(leftInHeaders((await read(daemon, task_id)).response), settled)
  })

  it('are shown only where they are set', async () => {
    const plain = await ask('no-budget')
    assert.deepEqual(leftInHeaders(plain), {})
    const tokens = await session({ tokens: 100 })
    assert.deepEqual(leftInHeaders(await ask(tokens)), { tokens: 80 })
    assert.deepEqual(await leftOfSession(daemon, 'no-budget'), {})
  })

  it('can be read by a page of an allowed origin', async () => {
    const { headers } = await call(daemon.url, '/v1/pools', { key: keys.data, headers: { Origin: 'http://page.test' } })
    for (const name of ['X-Budget-Tokens-Remaining', 'X-Budget-Time-Remaining-Ms', 'X-Budget-Cost-Remaining'])
      assert.match(String(headers['access-control-expose-headers']), new RegExp(name))
  })

  it('of time let nothing in once it is used up', async () => {
    const id = await session({ time_ms: 1700 })
    const task_id = await run(id)
    await daemon.clock.advance(2000)
    assert.equal((await endOf(daemon, task_id)).event, 'end')
    assert.deepEqual(await leftOfSession(daemon, id), { time: 0 })
    assertExhausted(await ask(id), 'time_ms', 'session')
  })

  for (const count of [1, 2, 3, 7])
    it(`of time end ${count} running at once when it runs out, and what they used is settled`, async () => {
      const id = await session({ time_ms: count * 1250, tokens: 1000 })
      const tasks: string[] = []
      for (let i = 0; i < count; i++) tasks.push(await run(id))
      await Promise.all(tasks.map((task_id) => untilState(daemon, task_id, 'running')))
      await daemon.clock.advance(1300)
      for (const task_id of tasks) {
        const { tokens, terminal, frames } = await read(daemon, task_id)
        assert.deepEqual(
          [tokens.length, terminal?.event, terminal?.data?.['code'], terminal?.data?.['retriable']],
          [3, 'error', 'BUDGET_EXHAUSTED', false],
        )
        assert.equal(leftIn(lastMetrics(frames)).time, 0)
        assert.equal((await getTask(daemon, task_id))['state'], 'failed')
      }
      assert.deepEqual(await leftOfSession(daemon, id), { tokens: 1000 - count * 7, time: 0 })
      assertExhausted(await ask(id), 'time_ms', 'session')
    })

  it('of time that do not divide evenly run out, too', async () => {
    const id = await session({ time_ms: 4000 })
    const tasks = [await run(id), await run(id), await run(id)]
    await Promise.all(tasks.map((task_id) => untilState(daemon, task_id, 'running')))
    await daemon.clock.advance(1400)
    for (const task_id of tasks) assert.equal((await endOf(daemon, task_id)).data?.['code'], 'BUDGET_EXHAUSTED')
    assert.deepEqual(await leftOfSession(daemon, id), { time: 0 })
  })

  it('of time that are set while a task runs end it, too', async () => {
    const id = await session({})
    const task_id = await run(id)
    await untilState(daemon, task_id, 'running')
    await putSession(daemon, id, { budgets: { time_ms: 1250 } })
    await daemon.clock.advance(1300)
    const { tokens, terminal } = await read(daemon, task_id)
    assert.deepEqual([tokens.length, terminal?.data?.['code']], [3, 'BUDGET_EXHAUSTED'])
  })

  it('of time end what is dispatched when nothing is left', async () => {
    const id = await session({ time_ms: 1500 })
    const fields = { model_ref: 'mock:single' }
    const [first, second] = [await run(id, fields), await run(id, fields)]
    await daemon.clock.advance(3000)
    for (const task_id of [first, second]) assert.equal((await endOf(daemon, task_id)).data?.['code'], 'BUDGET_EXHAUSTED')
    assert.equal((await read(daemon, second)).tokens.length, 0)
  })

  it('of a key hold over all its sessions', async () => {
    const other = 'thrifty-2'
    const post = (session_id: string, fields: Record<string, unknown> = {}): Promise<Answer> => ask(session_id, fields, 'thrifty')
    await putSession(daemon, 'thrifty-1', { budgets: { tokens: 1000 } }, 'thrifty')
    const first = await post('thrifty-1', { max_tokens: 36 })
    assert.deepEqual(leftInHeaders(first), { tokens: 60, time: 4000, cost: 60_000 - nanoOf(4, 36) })
    assertExhausted(await post(other, { max_tokens: 60 }), 'tokens', 'key')
    const second = await post(other, { max_tokens: 46 })
    assert.deepEqual([second.status, leftInHeaders(second).tokens], [202, 10])
    await daemon.clock.advance(1700)
    const spent = 2 * used
    assert.deepEqual(await leftOfSession(daemon, other, 'thrifty'), {
      tokens: 100 - spent,
      time: 4000 - 3400,
      cost: 60_000 - 2 * nanoOf(4, 8),
    })
    assert.equal((await post('thrifty-1')).status, 202)
    await daemon.clock.advance(1700)
    assertExhausted(await post(other), 'time_ms', 'key')
    assert.equal((await ask(other)).status, 202, "another key's session of the same name")
  })

  it('are charged for canceled tasks with what they used', async () => {
    const id = await session({ tokens: 200, cost: 0.001, time_ms: 10_000 })
    const running = await run(id)
    const waiting = await run(id, { model_ref: 'mock:single' })
    const queued = await run(id, { model_ref: 'mock:single' })
    const cancel = (task_id: string): Promise<Answer> => call(daemon.url, `/v1/tasks/${task_id}/cancel`, { method: 'POST', key: keys.data })
    assert.equal((await cancel(queued)).status, 204)
    await daemon.clock.advance(1250)
    assert.equal((await cancel(running)).status, 204)
    assert.equal((await cancel(waiting)).status, 204)
    assert.deepEqual(await leftOfSession(daemon, id), { tokens: 200 - 2 * 7, time: 10_000 - 2500, cost: 1_000_000 - 2 * nanoOf(4, 3) })
    await daemon.clock.advance(1000)
    assert.equal((await leftOfSession(daemon, id)).time, 7500)
  })

  it('are charged for failed tasks with what they used', async () => {
    const id = await session({ tokens: 200, cost: 0.001, time_ms: 10_000 })
    const task_id = await run(id, { model_ref: 'mock:failing' })
    await daemon.clock.advance(5000)
    assert.equal((await endOf(daemon, task_id)).data?.['code'], 'WORKER_RESET')
    assert.deepEqual(await leftOfSession(daemon, id), { tokens: 200 - 7, time: 10_000 - 3 * 1300, cost: 1_000_000 - nanoOf(4, 3) })
  })
})
