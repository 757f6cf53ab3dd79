import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { keys, mockPool, mockTask, startDaemon } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { authWith, getSession, leftOfSession, nanoOf, prices, pricedPool, putSession } from './budgets.kit.ts'
import { accepted, endOf, postTask, startStill, untilState, type Still } from './pools.kit.ts'

const ttl_ms = 600_000
const budgets = { tokens: 1000, time_ms: 60_000, cost: 0.001 }
const full = { tokens: 1000, time: 60_000, cost: 1_000_000 }

describe('sessions over HTTP', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({
      auth: authWith({}),
      sessions: { ttl_ms, max_turns: 3, budgets },
      pools: [pricedPool({ replicas: [{ id: 'r0', slots: 2 }] })],
    })
  })
  after(() => daemon.stop())
  const info = async (id: string, key?: string): Promise<Answer['json']> => (await getSession(daemon, id, key)).json
  const status = async (id: string, key?: string): Promise<number> => (await getSession(daemon, id, key)).status
  const remove = async (id: string, key: string = keys.data): Promise<number> =>
    (await call(daemon.url, `/v1/sessions/${id}`, { method: 'DELETE', key })).status
  /** Runs a task in the session to its end. */
  const turn = async (session_id: string): Promise<void> => {
    const task_id = await accepted(daemon, { session_id, max_tokens: 16 })
    await untilState(daemon, task_id, 'running')
    await daemon.clock.advance(1700)
    await endOf(daemon, task_id)
  }

  it('are created by PUT with what they may use, before their first task', async () => {
    const { status: created, json } = await putSession(daemon, 'own', { ttl_ms: 60_000, budgets: { tokens: 100 } })
    assert.equal(created, 200)
    assert.deepEqual(json, {
      ttl_ms_remaining: 60_000,
      turns: 0,
      kv_warmth: false,
      tokens_budget_remaining: 100,
      time_budget_remaining_ms: 60_000,
      cost_budget_remaining: 0.001,
    })
    assert.deepEqual(await info('own'), json)
    await daemon.clock.advance(59_999)
    assert.equal((await info('own'))['ttl_ms_remaining'], 1)
    await daemon.clock.advance(1)
    assert.equal(await status('own'), 404)
  })

  it('have what is configured where PUT says nothing, and where a task creates them', async () => {
    assert.equal((await putSession(daemon, 'default', {})).json['ttl_ms_remaining'], ttl_ms)
    assert.deepEqual(await leftOfSession(daemon, 'default'), full)
    await turn('by-task')
    const { turns, ttl_ms_remaining } = await info('by-task')
    assert.deepEqual({ turns, ttl_ms_remaining }, { turns: 1, ttl_ms_remaining: ttl_ms - 1700 })
    assert.deepEqual(await leftOfSession(daemon, 'by-task'), { tokens: 1000 - 12, time: 58_300, cost: 1_000_000 - nanoOf(4, 8) })
  })

  it('may not be given more than is configured', async () => {
    for (const [field, body] of [
      ['ttl_ms', { ttl_ms: ttl_ms + 1 }],
      ['budgets.tokens', { budgets: { tokens: 1001 } }],
      ['budgets.time_ms', { budgets: { time_ms: 60_001 } }],
      ['budgets.cost', { budgets: { cost: 0.0010001 } }],
      ['budgets.tokens', { budgets: { tokens: 0 } }],
      ['budgets', { budgets: { money: 1 } }],
    ] as const) {
      const { status: refused, json } = await putSession(daemon, 'greedy', body)
      assert.deepEqual([refused, json['code']], [400, 'INVALID_PARAMS'], field)
      assert.match(String(json['message']), new RegExp(field))
    }
    assert.equal(await status('greedy'), 404)
    assert.equal((await putSession(daemon, 'greedy', { ttl_ms, budgets })).status, 200)
  })

  it('are renewed by PUT: time to live and budgets count from now, turns stay', async () => {
    await turn('renewed')
    const task_id = await accepted(daemon, { session_id: 'renewed', max_tokens: 16 })
    await untilState(daemon, task_id, 'running')
    await daemon.clock.advance(500)
    const { json } = await putSession(daemon, 'renewed', { ttl_ms: 1000, budgets: { tokens: 50, time_ms: 10_000 } })
    // The running task keeps its reservation; its time counts from now on.
    assert.deepEqual(json, {
      ttl_ms_remaining: 1000,
      turns: 2,
      kv_warmth: false,
      tokens_budget_remaining: 30,
      time_budget_remaining_ms: 10_000,
      cost_budget_remaining: 0.001 - nanoOf(4, 16) / 1e9,
    })
    await putSession(daemon, 'renewed', { budgets: { tokens: 50, time_ms: 10_000 } })
    await daemon.clock.advance(1200)
    assert.equal((await endOf(daemon, task_id)).event, 'end')
    assert.deepEqual(await leftOfSession(daemon, 'renewed'), { tokens: 50 - 12, time: 8800, cost: 1_000_000 - nanoOf(4, 8) })
    await turn('renewed')
    const { status: refused, json: error } = await postTask(daemon, { session_id: 'renewed', max_tokens: 16 })
    assert.deepEqual([refused, error['code']], [403, 'BUDGET_EXHAUSTED'])
    assert.match(String(error['message']), /turns/)
  })

  it('belong to the key that made them; another with control reaches them by their owner', async () => {
    await putSession(daemon, 'shared', { budgets: { tokens: 100 } })
    await putSession(daemon, 'shared', { budgets: { tokens: 200 } }, keys.other)
    assert.equal((await info('shared'))['tokens_budget_remaining'], 100)
    assert.equal((await info('shared', keys.other))['tokens_budget_remaining'], 200)
    assert.equal(await remove('shared', keys.other), 204)
    assert.equal(await status('shared', keys.other), 404)
    assert.equal((await info('shared'))['tokens_budget_remaining'], 100)
    assert.equal(await status('shared', keys.all), 404)
    assert.equal((await info('shared?owner=data', keys.all))['tokens_budget_remaining'], 100)
    assert.equal(await remove('shared?owner=data', keys.all), 204)
    assert.equal(await status('shared'), 404)
  })

  it('that were deleted take a new life with a new task, and their tasks finish', async () => {
    const task_id = await accepted(daemon, { session_id: 'deleted' })
    await untilState(daemon, task_id, 'running')
    assert.equal(await remove('deleted'), 204)
    assert.equal(await status('deleted'), 404)
    assert.equal(await remove('deleted'), 404)
    const again = await accepted(daemon, { session_id: 'deleted', max_tokens: 16 })
    await untilState(daemon, again, 'running')
    await daemon.clock.advance(1700)
    assert.equal((await endOf(daemon, task_id)).event, 'end')
    assert.equal((await endOf(daemon, again)).event, 'end')
    assert.equal((await info('deleted'))['turns'], 1)
    assert.equal((await leftOfSession(daemon, 'deleted')).tokens, 1000 - 12)
  })

  for (const [how, renew] of [
    ['a task', (id: string) => turn(id)],
    ['PUT', async (id: string) => assert.equal((await putSession(daemon, id, {})).status, 200)],
  ] as const)
    it(`that have expired take a new life by ${how}: no turn and nothing used is left of the old one`, async () => {
      const id = `expired-${how === 'PUT' ? 'put' : 'task'}`
      await putSession(daemon, id, { ttl_ms: 10_000 })
      await turn(id)
      await turn(id)
      const task_id = await accepted(daemon, { session_id: id, max_tokens: 16 })
      await untilState(daemon, task_id, 'running')
      await daemon.clock.advance(10_000 - 3400 - 100)
      await endOf(daemon, task_id)
      await daemon.clock.advance(100)
      assert.equal(await status(id), 404)
      await renew(id)
      const used = how === 'PUT' ? 0 : 1
      assert.equal((await info(id))['turns'], used)
      assert.equal((await leftOfSession(daemon, id)).tokens, 1000 - used * 12)
    })
})

it('parallel tasks never spend more than the budget, and what is left plus what was spent is the budget', async () => {
  const tokens = 10 * 12
  const daemon = await startDaemon({
    sessions: { max_turns: 1000, budgets: { tokens, cost: 1 } },
    pools: [mockPool({ prices, replicas: [{ id: 'r0', slots: 8 }] })],
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  try {
    // Those with room for more generate less than they reserve, so that refused ones would fit later: some post again.
    const post = (max_tokens: number): Promise<Answer> =>
      call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask({ session_id: 'one', max_tokens }), agent })
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => [await post(8 + (i % 8)), await post(8)]))
    const tasks = answers.flat().flatMap(({ status, json }) => (status === 202 ? [String(json['task_id'])] : []))
    for (const { status, json } of answers.flat()) if (status !== 202) assert.deepEqual([status, json['code']], [403, 'BUDGET_EXHAUSTED'])
    let spent = 0
    let nano = 0
    for (const task_id of tasks) {
      const { event, data } = await endOf(daemon, task_id)
      assert.equal(event, 'end')
      spent += Number(data?.['tokens_in']) + Number(data?.['tokens_out'])
      nano += nanoOf(Number(data?.['tokens_in']), Number(data?.['tokens_out']))
    }
    assert.ok(spent <= tokens)
    assert.deepEqual(await leftOfSession(daemon, 'one'), { tokens: tokens - spent, cost: 1e9 - nano })
  } finally {
    agent.destroy()
    await daemon.stop()
  }
})
