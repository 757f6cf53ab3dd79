import assert from 'node:assert/strict'
import { keys, mockPool, mockTask } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { untilAnswer } from '../harness/wait.ts'
import { authWith } from './budgets.kit.ts'
import { drain, listed, postTask, resume, sample, startStill, type Still } from './pools.kit.ts'

/** A refusal by a limit of the key; its wait, ms. */
function assertLimited({ status, headers, json }: Answer): number {
  assert.equal(status, 429, JSON.stringify(json))
  assert.deepEqual([json['code'], json['policy_label'], json['retriable']], ['ADMISSION_REJECT', 'rate-limit', true])
  const wait = Number(headers['x-backoff-ms'])
  assert.ok(wait >= 1)
  assert.equal(Number(headers['retry-after']), Math.ceil(wait / 1000))
  assert.equal(json['retry_after_ms'], wait)
  return wait
}

describe('limits of a key', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({
      auth: authWith({
        brisk: { requests_per_minute: 7 },
        twin: { requests_per_minute: 1 },
        waiter: { queued_tasks: 2 },
        modest: { top_priority: 'batch', requests_per_minute: 3 },
      }),
      pools: [
        mockPool({ replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 }, queue: { capacity: 64 } }),
        mockPool({ id: 'fast', model: 'mock:fast' }),
      ],
    })
  })
  after(() => daemon.stop())
  const fast = (key: string, fields: Record<string, unknown> = {}): Promise<Answer> =>
    postTask(daemon, { model_ref: 'mock:fast', ...fields }, key)

  it('requests_per_minute: so many at once, then one for each interval; the wait is exact', async () => {
    for (let i = 0; i < 7; i++) assert.equal((await fast('brisk')).status, 202, `task ${i}`)
    const wait = assertLimited(await fast('brisk'))
    assert.equal(wait, Math.ceil(60_000 / 7))
    await daemon.clock.advance(wait - 1)
    assert.equal(assertLimited(await fast('brisk')), 1)
    await daemon.clock.advance(1)
    assert.equal((await fast('brisk')).status, 202)
    assertLimited(await fast('brisk'))
    assert.equal((await fast(keys.data)).status, 202, 'another key has no such limit')
    await daemon.clock.advance(60_000)
    for (let i = 0; i < 7; i++) assert.equal((await fast('brisk')).status, 202, `task ${i} of the next minute`)
    assertLimited(await fast('brisk'))
    assert.ok(((await sample(daemon, 'admission_backpressure_events_total{engine="mock",policy="rate-limit"}')) ?? 0) >= 4)
  })

  it('requests_per_minute: the repetition of a task that was accepted is not refused', async () => {
    const task = mockTask({ model_ref: 'mock:fast' })
    const send = (): Promise<Answer> => call(daemon.url, '/v1/tasks', { method: 'POST', key: 'twin', body: task })
    const first = await send()
    assert.equal(first.status, 202)
    assert.deepEqual((await send()).json, first.json)
    await call(daemon.url, `/v1/tasks/${task.task_id}/stream`, { key: 'twin' })
    assert.deepEqual((await send()).json, first.json, 'though it has finished')
    assertLimited(await fast('twin'))
  })

  it('requests_per_minute: refused ones count as well', async () => {
    for (let i = 0; i < 3; i++) assert.equal((await fast('modest', { priority: 'interactive' })).status, 403)
    assertLimited(await fast('modest', { priority: 'batch' }))
  })

  it('top_priority: what is above is 403', async () => {
    await daemon.clock.advance(60_000)
    const { status, json } = await fast('modest', { priority: 'interactive' })
    assert.deepEqual([status, json['code'], json['retriable']], [403, 'FORBIDDEN', false])
    assert.match(String(json['message']), /priority/)
    assert.equal((await fast('modest', { priority: 'batch' })).status, 202)
  })

  it('top_priority: what is above is 403 also where there is no place for it', async () => {
    await daemon.clock.advance(60_000)
    await drain(daemon, 'fast')
    assert.equal((await fast('modest', { priority: 'interactive' })).status, 403)
    await resume(daemon, 'fast')
  })

  it('queued_tasks: so many may wait, however many run', async () => {
    const post = (key = 'waiter'): Promise<Answer> => postTask(daemon, {}, key)
    const [running, ...waiting] = [await post(), await post(), await post()]
    for (const { status } of [running, ...waiting]) assert.equal(status, 202)
    assertLimited(await post())
    assert.equal((await post(keys.other)).status, 202, 'another key may')
    await daemon.clock.advance(1000)
    const next = await post()
    assert.equal(next.status, 202, 'one has been dispatched')
    assertLimited(await post())
    const cancel = await call(daemon.url, `/v1/tasks/${String(next.json['task_id'])}/cancel`, { method: 'POST', key: 'waiter' })
    assert.equal(cancel.status, 204)
    assert.equal((await post()).status, 202, 'one was canceled')
    const answers = await Promise.all(Array.from({ length: 10 }, () => post()))
    for (const answer of answers) assertLimited(answer)
    await daemon.clock.advance(10_000)
  })

  it('queued_tasks: the wait is until one of the key’s own tasks starts, however many of others do before', async () => {
    const post = (key: string): Promise<Answer> => postTask(daemon, {}, key)
    for (let i = 0; i < 3; i++) assert.equal((await post(keys.other)).status, 202)
    for (let i = 0; i < 2; i++) assert.equal((await post('waiter')).status, 202)
    const wait = assertLimited(await post('waiter'))
    assert.ok(Math.abs(wait - 3000) < 10, `${wait} ms, but three tasks of a second each are ahead`)
    await daemon.clock.advance(2000)
    assertLimited(await post('waiter'))
    await daemon.clock.advance(wait - 2000)
    assert.equal((await post('waiter')).status, 202)
    await daemon.clock.advance(10_000)
  })

  it('queued_tasks: those that come at once are counted one by one', async () => {
    const blocker = await postTask(daemon, {}, keys.other)
    await untilAnswer(
      () => listed(daemon, 'mock'),
      ({ slots_busy }) => slots_busy === 1,
    )
    const answers = await Promise.all(Array.from({ length: 20 }, () => postTask(daemon, {}, 'waiter')))
    assert.equal(answers.filter(({ status }) => status === 202).length, 2)
    for (const answer of answers) if (answer.status !== 202) assertLimited(answer)
    await daemon.clock.advance(10_000)
    for (const { status, json } of answers)
      if (status === 202)
        assert.equal((await call(daemon.url, `/v1/tasks/${String(json['task_id'])}`, { key: 'waiter' })).json['state'], 'completed')
    assert.equal((await call(daemon.url, `/v1/tasks/${String(blocker.json['task_id'])}`, { key: keys.other })).json['state'], 'completed')
  })
})
