import { PartLog } from '../../src/domain/stream/part-log.ts'
import type { Part } from '../../src/domain/stream/part.ts'
import { nativeFormat } from '../../src/doors/native/frames.ts'
import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

/** Parts as the native door writes them. */
function tokenFrames(parts: readonly Part[]): string {
  const log = new PartLog()
  return parts.map((part, index) => nativeFormat.part(part, index, log.push(part))).join('')
}

const framesOf = (raw: string, event: string): string =>
  raw
    .split(/(?<=\n\n)/)
    .filter((frame) => frame.includes(`\nevent: ${event}\n`))
    .join('')

describe('how tasks end', () => {
  let daemon: TestDaemon
  let clock: FakeClock
  before(async () => {
    clock = new FakeClock()
    const oneSlot = {
      replicas: [{ id: 'r0', slots: 1 }],
      mock: { prefill_ms: 600_000 },
      timeouts: { wall_ms: 86_400_000, idle_ms: 86_400_000 },
    }
    daemon = await startDaemon(
      {
        pools: [
          mockPool(),
          mockPool({ id: 'small', model: 'mock:small', ...oneSlot, queue: { capacity: 2, full_policy: 'drop-lru' } }),
          mockPool({ id: 'busy', model: 'mock:busy', ...oneSlot }),
          mockPool({ id: 'broken', model: 'mock:broken', mock: { prefill_ms: 0, token_ms: 0, fault: { kind: 'fail', after_tokens: 3 } } }),
          mockPool({ id: 'slow', model: 'mock:slow', sampler_profile_version: 'p1', mock: { prefill_ms: 0, token_ms: 1000, tokens: 30 } }),
        ],
      },
      { clock },
    )
  })
  after(() => daemon.stop())

  const get = async (path: string): Promise<Readonly<Record<string, unknown>>> => (await call(daemon.url, path, { key: keys.data })).json
  const cancel = (task_id: string): Promise<unknown> => call(daemon.url, `/v1/tasks/${task_id}/cancel`, { method: 'POST', key: keys.data })

  async function opened(fields: Record<string, unknown>): Promise<{ task: ReturnType<typeof mockTask>; stream: StreamClient }> {
    const task = mockTask(fields)
    await post(daemon.url, keys.data, task)
    const stream = await StreamClient.open(daemon.url, task.task_id, keys.data)
    await stream.until(({ frames }) => frames.length > 0)
    return { task, stream }
  }

  async function transcriptOf(
    task_id: string,
  ): Promise<{ artifact: Readonly<Record<string, unknown>>; content: Readonly<Record<string, unknown>> }> {
    const { artifact_id } = await get(`/v1/tasks/${task_id}`)
    assert.match(String(artifact_id), /^sha256:[0-9a-f]{64}$/)
    const artifact = await get(`/v1/artifacts/${String(artifact_id)}`)
    return { artifact, content: JSON.parse(String(artifact['content'])) as Record<string, unknown> }
  }

  async function resultOf(stream: StreamClient, task_id: string): Promise<Record<string, unknown>> {
    assert.deepEqual(
      stream.frames.map(({ event }) => event),
      ['started', 'metrics', 'end'],
    )
    const id = stream.terminal?.data?.['result_artifact_id']
    assert.match(String(id), /^sha256:[0-9a-f]{64}$/)
    assert.equal((await get(`/v1/tasks/${task_id}`))['result_artifact_id'], id)
    const artifact = await get(`/v1/artifacts/${String(id)}`)
    assert.ok((artifact['tags'] as string[]).includes('result'))
    return JSON.parse(String(artifact['content'])) as Record<string, unknown>
  }

  it('an embedding ends with its vectors as an artifact, the same for the same seed', async () => {
    const seen: unknown[] = []
    for (let i = 0; i < 2; i++) {
      const task = mockTask({ workload: 'embedding', prompt: undefined, inputs: ['a river', 'a bridge', 'a river'], seed: 3 })
      await post(daemon.url, keys.data, task)
      const { vectors } = await resultOf(await readStream(daemon.url, task.task_id, keys.data), task.task_id)
      const [river = [], bridge = [], again] = vectors as number[][]
      assert.deepEqual(river, again)
      assert.notDeepEqual(river, bridge)
      assert.ok(Math.abs(Math.hypot(...bridge) - 1) < 1e-9)
      seen.push(vectors)
    }
    assert.deepEqual(seen[0], seen[1])
  })

  it('a rerank ends with its scores as an artifact', async () => {
    const task = mockTask({ workload: 'rerank', prompt: 'silver river', inputs: ['a silver river', 'a river', 'a stone'] })
    await post(daemon.url, keys.data, task)
    const { scores } = await resultOf(await readStream(daemon.url, task.task_id, keys.data), task.task_id)
    assert.deepEqual(scores, [1, 0.5, 0])
  })

  it('a displaced task tells its reader so, and that it may come again', async () => {
    const model_ref = 'mock:small'
    const running = await opened({ model_ref })
    const oldest = await opened({ model_ref })
    const kept = await opened({ model_ref })
    const newcomer = await opened({ model_ref })
    await oldest.stream.closed
    assert.deepEqual(
      oldest.stream.frames.map(({ event }) => event),
      ['started', 'metrics', 'error'],
    )
    const { code, retriable, retry_after_ms, pool_id } = oldest.stream.terminal?.data ?? {}
    assert.deepEqual([code, retriable, pool_id], ['QUEUE_FULL_DROP_LRU', true, 'small'])
    assert.ok(Number(retry_after_ms) >= 1)
    assert.equal((await get(`/v1/tasks/${oldest.task.task_id}`))['state'], 'failed')
    const { content } = await transcriptOf(oldest.task.task_id)
    assert.deepEqual([content['text'], content['attempts'], content['started_at']], ['', 0, undefined])
    for (const { task, stream } of [kept, newcomer]) {
      assert.equal(stream.terminal, undefined)
      assert.equal((await get(`/v1/tasks/${task.task_id}`))['state'], 'queued')
    }
    for (const { task } of [newcomer, kept, running]) await cancel(task.task_id)
  })

  it('nothing of a higher priority is displaced: the newcomer gets a 429', async () => {
    const model_ref = 'mock:small'
    const tasks = [await opened({ model_ref }), await opened({ model_ref }), await opened({ model_ref })]
    const refused = await call(daemon.url, '/v1/tasks', {
      method: 'POST',
      key: keys.data,
      body: mockTask({ model_ref, priority: 'batch' }),
    })
    assert.equal(refused.status, 429)
    assert.deepEqual([refused.json['code'], refused.json['policy_label']], ['QUEUE_FULL_DROP_LRU', 'drop-lru'])
    for (const { task } of tasks.reverse()) await cancel(task.task_id)
  })

  it('a task that waits until its deadline expires, and one that runs does not', async () => {
    const model_ref = 'mock:busy'
    const running = await opened({ model_ref, deadline_ms: 60_000 })
    const waiting = await opened({ model_ref, deadline_ms: 100_000 })
    await clock.advance(99_900)
    assert.ok(daemon.live.of('data', waiting.task.task_id)?.phase === 'queued')
    await clock.advance(200)
    await waiting.stream.closed
    const { code, retriable, message } = waiting.stream.terminal?.data ?? {}
    assert.deepEqual([code, retriable], ['DEADLINE_UNMET', true])
    assert.match(String(message), /100000 ms/)
    assert.equal(running.stream.terminal, undefined)
    assert.equal(daemon.pools.get('busy').scheduler.depth(), 0)
    const { content } = await transcriptOf(waiting.task.task_id)
    assert.equal((content['error'] as Record<string, unknown>)['code'], 'DEADLINE_UNMET')
    await cancel(running.task.task_id)
  })

  const complete = (content: Readonly<Record<string, unknown>>, task: Record<string, unknown>): void => {
    assert.deepEqual(
      { ...(content['request'] as object), determinism: undefined, kv_hint: undefined, output_mode: undefined },
      { ...task, determinism: undefined, kv_hint: undefined, output_mode: undefined },
    )
    assert.deepEqual(
      [content['engine'], content['engine_version'], content['replica_id'], content['seed']],
      ['mock', 'mock-1', 'r0', task['seed']],
    )
    for (const name of ['accepted_at', 'started_at', 'first_token_at', 'last_token_at', 'finished_at'])
      assert.ok(Date.parse(String(content[name])) > 0, name)
  }

  it('the transcript of a completed task has everything', async () => {
    const { task, stream } = await opened({ metadata: { purpose: 'test' } })
    await stream.closed
    const { artifact, content } = await transcriptOf(task.task_id)
    assert.equal(stream.terminal?.data?.['artifact_id'], (await get(`/v1/tasks/${task.task_id}`))['artifact_id'])
    assert.equal(artifact['kind'], 'transcript')
    assert.ok((artifact['tags'] as string[]).includes(`task:${task.task_id}`))
    complete(content, task)
    assert.equal(content['text'], stream.text)
    // Its parts, written by the native door, are what the reader got.
    assert.equal(tokenFrames(content['parts'] as Part[]), framesOf(stream.raw, 'token'))
    assert.deepEqual([content['finish_reason'], content['tokens_out'], content['attempts']], ['stop', 8, 1])
  })

  it('so has that of a failed one', async () => {
    const { task, stream } = await opened({ model_ref: 'mock:broken' })
    await stream.closed
    const { content } = await transcriptOf(task.task_id)
    complete(content, task)
    assert.equal(content['text'], stream.text)
    assert.equal(stream.tokens.length, 3)
    assert.equal((content['error'] as Record<string, unknown>)['code'], 'WORKER_RESET')
    assert.deepEqual([content['tokens_out'], content['finish_reason']], [3, undefined])
  })

  it('and that of a canceled one, with the text its stream does not give any more', async () => {
    const { task, stream } = await opened({ model_ref: 'mock:slow', sampler_profile_version: 'p1', output_mode: 'json' })
    await stream.until(({ tokens }) => tokens.length > 0)
    await clock.advance(4000)
    await stream.until(({ tokens }) => tokens.length === 5)
    await cancel(task.task_id)
    await stream.closed
    const { artifact, content } = await transcriptOf(task.task_id)
    complete(content, task)
    assert.equal(content['text'], stream.text)
    assert.equal((content['error'] as Record<string, unknown>)['code'], 'CANCELED')
    assert.equal((content['request'] as Record<string, unknown>)['sampler_profile_version'], 'p1')
    assert.ok((artifact['tags'] as string[]).includes('output:json'))
    assert.equal((await readStream(daemon.url, task.task_id, keys.data)).text, '')
  })
})
