import assert from 'node:assert/strict'
import request from 'supertest'
import { pageOf } from '../../src/handlers/pages.ts'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call, post, type Answer } from '../harness/http.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const artifact = (content: string): Record<string, unknown> => ({ kind: 'plan', content, tags: ['mine'], metadata: {} })

const ids = (answer: Answer, list: 'tasks' | 'artifacts', id: 'task_id' | 'id'): unknown[] =>
  (answer.json[list] as Record<string, unknown>[]).map((entry) => entry[id])

describe('what belongs to one key', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({
      pools: [
        mockPool({ mock: { prefill_ms: 0, token_ms: 0, tokens: 8 } }),
        mockPool({ id: 'slow', model: 'mock:slow', mock: { prefill_ms: 600_000 } }),
      ],
    })
  })
  after(() => daemon.stop())

  const ask = (key: string, path: string, method = 'GET', body?: unknown): Promise<Answer> => call(daemon.url, path, { key, method, body })

  /** A task of the key `data` that never begins to answer. */
  async function running(): Promise<string> {
    const task = mockTask({ model_ref: 'mock:slow' })
    await post(daemon.url, keys.data, task)
    return task.task_id
  }

  async function finished(key: string, fields: Record<string, unknown> = {}): Promise<StreamClient> {
    const task = mockTask(fields)
    await post(daemon.url, key, task)
    return readStream(daemon.url, task.task_id, key)
  }

  it('a running task is 404 to another key: to look at, read and cancel', async () => {
    const id = await running()
    for (const [path, method] of [
      ['', 'GET'],
      ['/stream', 'GET'],
      ['/cancel', 'POST'],
    ] as const) {
      const answer = await ask(keys.other, `/v1/tasks/${id}${path}`, method)
      assert.equal(answer.status, 404)
      assert.equal(answer.json['code'], 'NOT_FOUND')
      // Nothing tells it from a task that does not exist.
      const none = await ask(keys.other, `/v1/tasks/none${path}`, method)
      assert.equal(answer.json['message'], none.json['message'])
    }
    assert.equal((await ask(keys.data, `/v1/tasks/${id}`)).json['state'], 'running')
    assert.deepEqual(ids(await ask(keys.other, '/v1/tasks'), 'tasks', 'task_id'), [])
    assert.ok(ids(await ask(keys.data, '/v1/tasks'), 'tasks', 'task_id').includes(id))
    assert.equal((await ask(keys.data, `/v1/tasks/${id}/cancel`, 'POST')).status, 204)
  })

  it('so is a finished one, and its session and transcript', async () => {
    const task = mockTask()
    await post(daemon.url, keys.data, task)
    const { terminal } = await readStream(daemon.url, task.task_id, keys.data)
    const transcript = String(terminal?.data?.['artifact_id'])
    const at = `/v1/tasks/${task.task_id}`
    const session = `/v1/sessions/${String(task['session_id'])}`
    for (const path of [at, `${at}/stream`, session, `/v1/artifacts/${transcript}`]) {
      assert.equal((await ask(keys.data, path)).status, 200, path)
      assert.equal((await ask(keys.other, path)).status, 404, path)
      assert.equal((await ask(keys.all, path)).status, 404, path)
      assert.equal((await ask(keys.all, `${path}?owner=data`)).status, 200, path)
      assert.equal((await ask(keys.other, `${path}?owner=data`)).status, 403, path)
    }
    assert.equal((await ask(keys.other, `${at}/cancel`, 'POST')).status, 404)
    assert.equal((await ask(keys.other, session, 'DELETE')).status, 404)
    assert.deepEqual(ids(await ask(keys.other, '/v1/artifacts'), 'artifacts', 'id'), [])
    assert.deepEqual(ids(await ask(keys.other, `/v1/tasks?session_id=${String(task['session_id'])}`), 'tasks', 'task_id'), [])
    assert.equal((await ask(keys.data, session, 'DELETE')).status, 204)
    assert.equal((await ask(keys.data, session)).status, 404)
  })

  it('a session may be deleted by a key with the role control that names its owner', async () => {
    const path = '/v1/sessions/theirs'
    assert.equal((await ask(keys.data, path, 'PUT', { budgets: { tokens: 500 } })).status, 200)
    assert.equal((await ask(keys.all, path, 'DELETE')).status, 404)
    assert.equal((await ask(keys.other, `${path}?owner=data`, 'DELETE')).status, 403)
    assert.equal((await ask(keys.all, `${path}?owner=data`, 'DELETE')).status, 204)
    assert.equal((await ask(keys.data, path)).status, 404)
  })

  it('what is left of a session is told of the one that the task belongs to, whoever reads its stream', async () => {
    const session_id = 'with-a-budget'
    for (const [key, tokens] of [
      [keys.data, 5000],
      [keys.all, 7000],
    ] as const)
      assert.equal((await ask(key, `/v1/sessions/${session_id}`, 'PUT', { budgets: { tokens } })).status, 200)
    const task = mockTask({ session_id, max_tokens: 8 })
    await post(daemon.url, keys.data, task)
    await readStream(daemon.url, task.task_id, keys.data)
    const { headers } = await ask(keys.all, `/v1/tasks/${task.task_id}/stream?owner=data`)
    assert.ok(Number(headers['x-budget-tokens-remaining']) < 5000, String(headers['x-budget-tokens-remaining']))
  })

  it('a cursor is good for the list that it is of, and for no other', async () => {
    const lists = {
      tasks: '/v1/tasks?',
      sessions: '/v1/sessions?',
      artifacts: '/v1/artifacts?',
      usage: '/v1/usage?',
      models: '/v1/catalog/models?',
      'queue of mock': '/v1/pools/mock/queue?',
      'queue of slow': '/v1/pools/slow/queue?',
    }
    for (const of of Object.keys(lists)) {
      const { next_cursor } = await pageOf(of, { name: 'data', roles: [] }, {}, () => ({ next_cursor: '1' }))
      const taken: string[] = []
      for (const [list, path] of Object.entries(lists)) {
        const { text } = await ask(keys.data, `${path}cursor=${next_cursor}`)
        if (!text.includes('is none of this list')) taken.push(list)
      }
      assert.deepEqual(taken, [of])
    }
  })

  it("an artifact is its creator's, also where another key stored the same", async () => {
    const made = await ask(keys.data, '/v1/artifacts', 'POST', artifact('a plan'))
    assert.equal(made.status, 201)
    const path = `/v1/artifacts/${String(made.json['id'])}`
    assert.equal((await ask(keys.other, path)).status, 404)
    const child = await ask(keys.other, '/v1/artifacts', 'POST', { ...artifact('a child'), parent: made.json['id'] })
    assert.equal(child.status, 400)
    assert.match(String(child.json['message']), /parent/)
    const same = await ask(keys.other, '/v1/artifacts', 'POST', artifact('a plan'))
    assert.equal(same.json['id'], made.json['id'])
    assert.equal((await ask(keys.other, path)).status, 200)
    assert.deepEqual(ids(await ask(keys.other, '/v1/artifacts'), 'artifacts', 'id'), [made.json['id']])
    assert.deepEqual(ids(await ask(keys.other, '/v1/artifacts?tag=mine'), 'artifacts', 'id'), [made.json['id']])
  })

  it('equal ids under two keys are two tasks and two sessions', async () => {
    const task_id = 'same-id'
    const session_id = 'same-session'
    const mine = await finished(keys.data, { task_id, session_id, seed: 1, max_tokens: 3 })
    const theirs = await finished(keys.other, { task_id, session_id, seed: 2, max_tokens: 5 })
    assert.deepEqual([mine.tokens.length, theirs.tokens.length], [3, 5])
    assert.equal((await readStream(daemon.url, task_id, keys.data)).text, mine.text)
    assert.equal((await readStream(daemon.url, task_id, keys.other)).text, theirs.text)
    await finished(keys.other, { session_id })
    const turns = async (key: string): Promise<unknown> => (await ask(key, `/v1/sessions/${session_id}`)).json['turns']
    assert.deepEqual([await turns(keys.data), await turns(keys.other)], [1, 2])
    assert.equal((await ask(keys.other, `/v1/sessions/${session_id}`, 'DELETE')).status, 204)
    assert.equal(await turns(keys.data), 1)
    const live = [await running(), await running()]
    await post(daemon.url, keys.other, mockTask({ task_id: live[0], model_ref: 'mock:slow' }))
    assert.equal((await ask(keys.other, `/v1/tasks/${String(live[0])}/cancel`, 'POST')).status, 204)
    assert.equal((await ask(keys.data, `/v1/tasks/${String(live[0])}`)).json['state'], 'running')
    for (const id of live) assert.equal((await ask(keys.data, `/v1/tasks/${id}/cancel`, 'POST')).status, 204)
  })

  it('is seen and may be canceled by a key with the role control that names its owner', async () => {
    const id = await running()
    assert.equal((await ask(keys.all, `/v1/tasks/${id}?owner=data`)).json['state'], 'running')
    for (const query of ['state=running', 'state=running&owner=data'])
      assert.ok(ids(await ask(keys.all, `/v1/tasks?${query}`), 'tasks', 'task_id').includes(id))
    assert.deepEqual(ids(await ask(keys.all, '/v1/tasks?state=running&owner=other'), 'tasks', 'task_id'), [])
    assert.equal((await ask(keys.data, '/v1/tasks?owner=other')).status, 403)
    const stream = await StreamClient.open(daemon.url, id, keys.data)
    assert.equal((await ask(keys.all, `/v1/tasks/${id}/cancel`, 'POST')).status, 404)
    assert.equal((await ask(keys.all, `/v1/tasks/${id}/cancel?owner=data`, 'POST')).status, 204)
    await stream.closed
    assert.equal(stream.terminal?.data?.['code'], 'CANCELED')
    assert.equal((await ask(keys.data, `/v1/tasks/${id}`)).json['state'], 'canceled')
    const listed = ids(await ask(keys.all, '/v1/tasks?limit=200'), 'tasks', 'task_id')
    assert.equal(listed.filter((one) => one === 'same-id').length, 2)
  })

  it("a key with the role control never reaches another key's task or session because its own of that id has ended", async () => {
    const [task_id, session_id] = ['one-id', 'one-session']
    const theirs = mockTask({ task_id, session_id, model_ref: 'mock:slow' })
    await post(daemon.url, keys.data, theirs)
    await finished(keys.all, { task_id, session_id })
    // A cancel that is sent again changes nothing, and neither does a second deletion.
    for (const repetition of [1, 2]) {
      assert.equal((await ask(keys.all, `/v1/tasks/${task_id}/cancel`, 'POST')).status, 204, `${repetition}`)
      assert.equal((await ask(keys.all, `/v1/sessions/${session_id}`, 'DELETE')).status, repetition === 1 ? 204 : 404)
    }
    assert.equal((await ask(keys.all, `/v1/tasks/${task_id}`)).json['state'], 'completed')
    assert.equal((await ask(keys.data, `/v1/tasks/${task_id}`)).json['state'], 'running')
    assert.equal((await ask(keys.data, `/v1/sessions/${session_id}`)).status, 200)
    assert.equal((await ask(keys.all, `/v1/sessions/${session_id}?owner=data`)).json['turns'], 1)
    const owners = async (list: 'tasks' | 'artifacts'): Promise<Set<unknown>> => {
      const { json } = await ask(keys.all, `/v1/${list}?limit=200`)
      return new Set((json[list] as Record<string, unknown>[]).map(({ owner }) => owner))
    }
    for (const list of ['tasks', 'artifacts'] as const) assert.deepEqual(await owners(list), new Set(['data', 'other', 'all']))
    assert.equal((await ask(keys.all, `/v1/tasks/${task_id}/cancel?owner=data`, 'POST')).status, 204)
  })

  it('keys and prompts are in no log line and no error', async () => {
    const secret = 'prompt-nobody-else-may-see'
    const texts: string[] = []
    const tell = async (answer: Promise<Answer>): Promise<void> => void texts.push((await answer).text)
    await finished(keys.data, { prompt: secret })
    await finished(keys.data, { prompt: undefined, messages: [{ role: 'user', content: secret }], metadata: { note: secret } })
    await finished(keys.data, { workload: 'rerank', prompt: secret, inputs: [secret, 'x'] })
    await tell(ask(keys.data, '/v1/tasks', 'POST', mockTask({ prompt: secret.repeat(2000) })))
    await tell(ask(keys.data, '/v1/tasks', 'POST', mockTask({ prompt: secret, max_tokens: 'many' })))
    await tell(ask(keys.data, '/v1/tasks', 'POST', mockTask({ prompt: secret, inputs: [secret] })))
    await tell(ask(keys.data, '/v1/tasks', 'POST', mockTask({ prompt: secret, engine: 'vllm' })))
    await tell(ask('not-a-key-but-secret', '/v1/tasks', 'POST', mockTask({ prompt: secret })))
    for (const body of [`{"prompt": ${secret}}`, secret, `{"prompt": "${secret}`, `{"prompt": "x"} ${secret}`]) {
      const answer = await request(daemon.url)
        .post('/v1/tasks')
        .set('X-API-Key', keys.data)
        .set('Content-Type', 'application/json')
        .send(body)
        .expect(400)
      assert.match(answer.text, /not valid JSON/)
      texts.push(answer.text)
    }
    const id = await running()
    await ask(keys.data, `/v1/tasks/${id}/cancel`, 'POST')
    assert.equal(texts.length, 9)
    const lines = daemon.lines.map((line) =>
      JSON.stringify(line, (_, value: unknown) =>
        value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value,
      ),
    )
    assert.ok(
      lines.some((line) => line.includes('"admission"')) &&
        lines.some((line) => line.includes('"end"')) &&
        lines.some((line) => line.includes('"cancel"')),
    )
    for (const text of [...texts, ...lines])
      for (const hidden of [secret, secret.slice(0, 6) + '-', 'not-a-key-but-secret', ...Object.values(keys)])
        assert.ok(!text.includes(hidden), text.slice(0, 500))
  })
})
