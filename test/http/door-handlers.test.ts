import assert from 'node:assert/strict'
import type { BatchRecord } from '../../src/domain/batches/batch.ts'
import type { Principal } from '../../src/domain/principal.ts'
import type { TerminalEvent } from '../../src/domain/stream/task-events.ts'
import { batchView, fileView } from '../../src/doors/openai/batch-views.ts'
import { anthropicHandlers, type AnthropicServices } from '../../src/handlers/anthropic/anthropic-handlers.ts'
import { batchHandlers } from '../../src/handlers/openai/batch-handlers.ts'
import { batchLines, type LineParts } from '../../src/handlers/openai/batch-lines.ts'
import { createCompletion } from '../../src/handlers/openai/create-completion.ts'
import { vectorHandlers } from '../../src/handlers/openai/create-vectors.ts'
import { fileHandlers } from '../../src/handlers/openai/file-handlers.ts'
import { modelHandlers } from '../../src/handlers/openai/models.ts'
import type { DoorRequest, DoorTasks } from '../../src/services/tasks/door-tasks.ts'
import { ended } from '../doors/openai/responses/parts.kit.ts'

const principal: Principal = { name: 'ann', roles: ['data'] }
const asking = { principal, headers: {}, params: {}, query: {}, correlation_id: 'c' }

/** Door tasks that write down what they are asked, whose tasks end at once. */
class Door {
  readonly asked: DoorRequest[] = []
  closed = 0
  readonly tasks = {
    open: (asked: DoorRequest, formatOf: (task: object) => { terminal: (event: TerminalEvent) => string }) => {
      this.asked.push(asked)
      const task = { task_id: 't', accepted_at: 0, prompt_tokens: 5, attached: this.asked.length > 1 }
      const format = formatOf(task)
      const finish = (): Promise<void> => {
        format.terminal({ end: { ...ended, finish_reason: 'stop', result_artifact_id: 'r' } })
        return Promise.resolve()
      }
      return Promise.resolve({ ...task, format, source: { ended: finish, close: () => void this.closed++ } })
    },
  } as unknown as DoorTasks
}

const results = (content: object): LineParts['artifacts'] => ({ get: () => Promise.resolve({ content: JSON.stringify(content) } as never) })

describe('lines of a batch', () => {
  it('are tasks that wait for all others, for a day, and whose readers are let go', async () => {
    const door = new Door()
    const ask = batchLines({ artifacts: results({ vectors: [[1]] }), doorTasks: door.tasks, check: () => Promise.resolve() })
    for (const [endpoint, body] of [
      ['/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'a' }] }],
      ['/v1/completions', { model: 'm', prompt: 'a' }],
      ['/v1/embeddings', { model: 'm', input: 'a' }],
    ] as const) {
      const line = await ask({ principal, endpoint, task_id: 'line', body })
      assert.equal(typeof (await line.answer), 'object')
      const { request, stays, background, correlation_id } = door.asked.at(-1) ?? assert.fail()
      assert.deepEqual([stays, background, correlation_id], [true, true, 'line'])
      assert.deepEqual([request.task_id, request.priority, request.deadline_ms], ['line', 'batch', 86_400_000])
    }
    assert.equal(door.closed, 3)
  })

  it('are refused where their text is none, or they are nested too deep', async () => {
    const ask = batchLines({ artifacts: results({}), doorTasks: new Door().tasks, check: () => Promise.resolve() })
    const body = { model: 'm', prompt: '\ud83e' }
    await assert.rejects(ask({ principal, endpoint: '/v1/completions', task_id: 'line', body }), { kind: 'invalid_params' })
    const metadata: unknown = JSON.parse('['.repeat(9000) + ']'.repeat(9000))
    const deep = { model: 'm', prompt: 'a', metadata }
    await assert.rejects(ask({ principal, endpoint: '/v1/completions', task_id: 'line', body: deep }), { kind: 'invalid_params' })
  })
})

describe('lists at the doors', () => {
  const model = (name: string, ...aliases: string[]): object => ({ name, aliases })
  const access = {
    list: () => [model('a', 'b', 'gpt-*'), model('b', 'c'), model('d')] as never,
    knows: (_: unknown, name: string) => name !== 'e',
  }
  const names = ['a', 'b', 'c', 'd']

  it('have each name of a model once, and no patterns', async () => {
    const ofOpenAi = await modelHandlers({ access }).listModels({ ...asking, body: undefined })
    assert.deepEqual(
      ofOpenAi.body.data.map(({ id }) => id),
      names,
    )
    const services = { access, admission: { count: () => Promise.resolve(3) }, doorTasks: new Door().tasks } as AnthropicServices
    const { listAnthropicModels, retrieveAnthropicModel, countMessageTokens } = anthropicHandlers(services)
    const { body } = await listAnthropicModels({ ...asking, body: undefined })
    assert.deepEqual([body.data.map(({ id }) => id), body.first_id, body.last_id, body.has_more], [names, 'a', 'd', false])
    for (const model of ['c', 'gpt-4'])
      assert.equal((await retrieveAnthropicModel({ ...asking, params: { model } } as never)).body.id, model)
    assert.throws(() => retrieveAnthropicModel({ ...asking, params: { model: 'e' } } as never), { kind: 'not_found' })
    const counted = await countMessageTokens({ ...asking, body: { max_tokens: 1, messages: [] } } as never)
    assert.deepEqual(counted.body, { input_tokens: 3 })
  })

  it('have twenty entries unless more are asked for', async () => {
    const limits: unknown[] = []
    const list = ({ limit, owner }: { limit: number; owner: string }) => {
      limits.push([owner, limit])
      return Promise.resolve({ page: [], more: false })
    }
    const [batches, files] = [{ list } as never, { list } as never]
    for (const query of [{}, { limit: 50 }]) {
      await batchHandlers({ batches }).listBatches({ ...asking, query } as never)
      await fileHandlers({ files, batches }).listFiles({ ...asking, query } as never)
    }
    assert.deepEqual(
      limits,
      [20, 20, 50, 50].map((limit) => ['ann', limit]),
    )
    const other = await fileHandlers({ files, batches }).listFiles({ ...asking, query: { purpose: 'fine-tune' } } as never)
    assert.deepEqual([other.body.data, limits.length], [[], 4])
  })
})

describe('answers at the door of OpenAI', () => {
  it('are of the session of their cache key, and say that they were taken up again', async () => {
    const door = new Door()
    const completion = createCompletion({ doorTasks: door.tasks })
    const body = { model: 'm', prompt: 'a', prompt_cache_key: 'cache' }
    const [first, second] = [await completion({ ...asking, body }), await completion({ ...asking, body })]
    assert.deepEqual([first.headers, second.headers], [{ 'X-Task-Id': 't' }, { 'X-Task-Id': 't', 'X-Orchd-Attached': 'true' }])
    assert.equal(door.asked[0]?.request.session_id, 'cache')
  })

  it('of vectors count the tokens that the engine has counted', async () => {
    const handlers = vectorHandlers({ artifacts: results({ vectors: [[1]], scores: [1] }), doorTasks: new Door().tasks })
    const embedding = await handlers.createEmbedding({ ...asking, body: { model: 'm', input: 'a' } })
    const ranking = await handlers.createRerank({ ...asking, body: { model: 'm', query: 'a', documents: ['b'] } })
    const usage = { prompt_tokens: ended.tokens_in, total_tokens: ended.tokens_in }
    for (const { coming } of [embedding, ranking]) assert.deepEqual((await coming.value).usage, usage)
  })

  it('of batches tell each point in time, in whole seconds', () => {
    const names = ['in_progress', 'finalizing', 'completed', 'failed', 'expired', 'cancelling', 'cancelled'] as const
    const at = Object.fromEntries(names.map((name, i) => [name, 10_999 + i * 1000]))
    const batch = {
      ...{ batch_id: 'b', created_at: 1_999, expires_at: 5_999, problems: [], total: 3, completed: 2, failed: 1 },
      at,
    } as never as BatchRecord
    const view = batchView(batch) as Record<string, unknown>
    assert.deepEqual([view['created_at'], view['expires_at']], [1, 5])
    assert.deepEqual(
      names.map((name) => view[`${name}_at`]),
      names.map((_, i) => 10 + i),
    )
    assert.deepEqual(
      names.map((name) => (batchView({ ...batch, at: {} }) as Record<string, unknown>)[`${name}_at`]),
      names.map(() => null),
    )
    assert.equal(fileView({ created_at: 1_999 } as never).created_at, 1)
  })
})
