import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { components } from '../../generated/api.ts'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { untilAnswer } from '../harness/wait.ts'

type Usage = components['schemas']['Usage']
type Task = components['schemas']['Task']

const prices = { input_per_million: 3, output_per_million: 7 }

describe('usage', () => {
  let daemon: TestDaemon
  beforeEach(async () => {
    daemon = await startDaemon({ pools: [mockPool({ prices, queue: { capacity: 100 } }), mockPool({ id: 'two', model: 'mock:two' })] })
  })
  afterEach(() => daemon.stop())

  const get = async <T>(path: string, key: string): Promise<T> => JSON.parse((await call(daemon.url, path, { key })).text) as T
  const usageOf = async (key: string, query = ''): Promise<Usage[]> => (await get<{ usage: Usage[] }>(`/v1/usage${query}`, key)).usage

  it('is the sum of the tasks, by key and model', async () => {
    const one = fc.record({
      key: fc.constantFrom<'data' | 'other'>('data', 'other'),
      model_ref: fc.constantFrom('mock:v1', 'mock:two'),
      prompt: fc.string({ minLength: 1, maxLength: 40 }).map((text) => `p ${text.replace(/[^a-z ]/g, 'x')}`),
      max_tokens: fc.integer({ min: 1, max: 9 }),
      cancel: fc.boolean(),
    })
    for (const { key, cancel, ...task } of fc.sample(one, 60)) {
      const body = mockTask({ ...task, session_id: undefined })
      assert.equal((await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys[key], body })).status, 202)
      if (cancel) await call(daemon.url, `/v1/tasks/${body.task_id}/cancel`, { method: 'POST', key: keys[key] })
    }
    const tasks = await untilAnswer(
      async () => (await get<{ tasks: Task[] }>('/v1/tasks?limit=200', keys.all)).tasks,
      (all) => all.every(({ finished_at }) => finished_at !== undefined),
    )
    const usage = await usageOf(keys.all)
    assert.equal(usage.length, new Set(tasks.map(({ owner, model_ref }) => `${owner} ${model_ref}`)).size)
    for (const row of usage) {
      const own = tasks.filter(({ owner, model_ref }) => owner === row.key && model_ref === row.model_ref)
      const sum = (field: 'tokens_in' | 'tokens_out'): number => own.reduce((all, task) => all + (task[field] ?? 0), 0)
      assert.deepEqual([row.tasks, row.tokens_in, row.tokens_out], [own.length, sum('tokens_in'), sum('tokens_out')])
      const cost = row.model_ref === 'mock:v1' ? (3 * row.tokens_in + 7 * row.tokens_out) / 1e6 : 0
      assert.ok(Math.abs(row.cost - cost) < 1e-9)
    }
    const own = await usageOf(keys.data)
    assert.deepEqual(
      own,
      usage.filter(({ key }) => key === 'data'),
    )
  })

  it('counts refusals, and does not let whoever asks name the rows', async () => {
    for (const model_ref of ['mock:v1', 'no:1', 'no:2']) {
      const body = mockTask({ model_ref, max_tokens: 1_000_000 })
      assert.ok((await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body })).status >= 400)
    }
    const rows = await usageOf(keys.data)
    assert.deepEqual(rows.map(({ model_ref, refusals, tasks }) => [model_ref, refusals, tasks]).sort(), [
      ['mock:v1', 1, 0],
      ['unknown', 2, 0],
    ])
  })

  it('comes by day, and a page at a time', async () => {
    for (const model_ref of ['mock:v1', 'mock:two'])
      await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask({ model_ref, engine: 'mock' }) })
    await untilAnswer(
      () => usageOf(keys.data),
      (rows) => rows.length === 2,
    )
    const first = await get<{ usage: Usage[]; next_cursor: string }>('/v1/usage?limit=1', keys.data)
    const second = await get<{ usage: Usage[]; next_cursor?: string }>(`/v1/usage?limit=1&cursor=${first.next_cursor}`, keys.data)
    assert.deepEqual([first.usage.length, second.usage.length, second.next_cursor], [1, 1, undefined])
    assert.deepEqual(await usageOf(keys.data, '?to=2000-01-01'), [])
    assert.equal((await usageOf(keys.data, '?from=2000-01-01')).length, 2)
  })
})
