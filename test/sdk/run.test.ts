import assert from 'node:assert/strict'
import { ApiError, ConnectionError, TaskFailed } from '../../sdk/src/index.ts'
import { settled } from '../harness/fake-clock.ts'
import { collected, end, failure, refusal, scripted, started, stream, token, type Step } from './scripted.ts'

const unreachable: Step = () => {
  throw new TypeError('fetch failed')
}
const gone = (): Response => new Response(null, { status: 204 })
const request = { task_id: 't', prompt: 'Hello' }

describe('tasks.run, against a daemon that follows a script', () => {
  it('goes on where the connection broke', async () => {
    const { client, asked } = scripted([
      () => stream([started, token(1, 'a'), token(2, 'b').slice(0, 20)], 'break'),
      unreachable,
      () => stream([token(2, 'b')]),
      () => stream([token(3, 'c'), end]),
    ])
    assert.equal(await client.tasks.run(request).text(), 'abc')
    const resumed = (id: string): string => `GET /v1/tasks/t/stream after ${id}-00000000`
    assert.deepEqual(asked(), ['POST /v1/tasks', resumed('1'), resumed('1'), resumed('2')])
  })

  it('sends the same task again where no answer came', async () => {
    const { client, requests } = scripted([unreachable, () => stream([], 'break'), () => stream([started, token(1, 'a'), end])])
    const run = client.tasks.run({ prompt: 'Hello' })
    assert.equal(await run.text(), 'a')
    const bodies = await Promise.all(requests.map((sent) => sent.json() as Promise<Record<string, unknown>>))
    assert.deepEqual(new Set(bodies.map(({ task_id }) => task_id)), new Set([run.task_id]))
  })

  it('waits as long as it is told and a little longer, first by X-Backoff-Ms', async () => {
    const { client, waits } = scripted([
      () => refusal(429, { retry_after_ms: 1200 }, { 'Retry-After': '2', 'X-Backoff-Ms': '1200' }),
      () => refusal(503, { code: 'POOL_UNREADY', retry_after_ms: 700 }, { 'Retry-After': '1' }),
      () => new Response('<html>', { status: 503, headers: { 'Retry-After': '3' } }),
      () => stream([started, end]),
    ])
    await client.tasks.run(request).text()
    assert.deepEqual(waits, [1200 * 1.1, 700 * 1.1, 3000 * 1.1])
  })

  it('waits longer from failure to failure where it is told nothing, and anew after a success', async () => {
    const { client, waits } = scripted([unreachable, unreachable, unreachable, () => stream([started], 'break'), () => stream([end])])
    await client.tasks.run(request).text()
    assert.deepEqual(
      waits,
      [250, 500, 1000, 250].map((ms) => ms * 0.75),
    )
  })

  it('ends with the last failure once its patience does', async () => {
    const { client, waits } = scripted(Array<Step>(20).fill(unreachable), { patience_ms: 3_000 })
    await assert.rejects(client.tasks.run(request).text(), (error) => error instanceof ConnectionError && error.cause instanceof TypeError)
    assert.ok(waits.reduce((sum, ms) => sum + ms, 0) <= 3_000, String(waits))
    assert.ok(waits.length > 2)
  })

  it('does not wait for what takes longer than its patience', async () => {
    const { client, waits } = scripted([() => refusal(429, { retry_after_ms: 600_000 })])
    await assert.rejects(client.tasks.run(request).text(), (error) => error instanceof ApiError && error.retry_after_ms === 600_000)
    assert.deepEqual(waits, [])
  })

  it('does not repeat what cannot succeed', async () => {
    const { client, asked } = scripted([
      () => refusal(400, { code: 'INVALID_PARAMS', message: 'body.ctx: must be >= 1', retriable: false }),
    ])
    await assert.rejects(client.tasks.run({ ...request, ctx: 0 }).text(), (error) => {
      assert.ok(error instanceof ApiError)
      assert.deepEqual(
        [error.status, error.code, error.message, error.correlation_id],
        [400, 'INVALID_PARAMS', 'body.ctx: must be >= 1', 'c1'],
      )
      return true
    })
    assert.deepEqual(asked(), ['POST /v1/tasks'])
  })

  it('passes on what it does not know', async () => {
    const strange = 'event: weather\ndata: fine, {really}\n\nevent: metrics\ndata: {"phase":"dreaming","more":1}\n\n'
    const { client } = scripted([() => stream([started, strange, token(1, 'a'), end])])
    const seen: unknown[] = []
    for await (const { event, data } of client.tasks.run(request)) if (event !== 'started' && event !== 'end') seen.push([event, data])
    assert.deepEqual(seen, [
      ['weather', 'fine, {really}'],
      ['metrics', { phase: 'dreaming', more: 1 }],
      ['token', { t: 'a', i: 0 }],
    ])
  })

  it('throws the error that ends a task, with what the daemon says of it', async () => {
    const { client, asked } = scripted([() => stream([started, token(1, 'a'), failure({ pool_id: 'p', code: 'NEW_CODE' })])])
    const texts: string[] = []
    const reading = async (): Promise<void> => {
      for await (const event of client.tasks.run(request)) if (event.event === 'token') texts.push(event.data.t)
    }
    await assert.rejects(reading(), (error) => {
      assert.ok(error instanceof TaskFailed)
      assert.deepEqual([error.task_id, error.code, error.pool_id, error.retriable], ['t', 'NEW_CODE', 'p', true])
      return true
    })
    assert.deepEqual([texts, asked()], [['a'], ['POST /v1/tasks']])
  })

  it('sends a task again that failed before it said anything, until its patience ends', async () => {
    const waiting = 'event: metrics\ndata: {"phase":"queued"}\n\n'
    const displaced = (): Response => stream([started, waiting, failure({ code: 'QUEUE_FULL_DROP_LRU', retry_after_ms: 1000 })])
    const lucky = scripted([displaced, displaced, () => stream([started, token(1, 'a'), end])])
    assert.equal(await lucky.client.tasks.run(request).text(), 'a')
    assert.deepEqual([lucky.waits, lucky.asked()], [[1100, 1100], Array(3).fill('POST /v1/tasks')])
    const unlucky = scripted(Array<Step>(20).fill(displaced), { patience_ms: 5_000 })
    await assert.rejects(unlucky.client.tasks.run(request).text(), TaskFailed)
    assert.equal(unlucky.waits.length, 4)
  })

  it('cancels on break', async () => {
    const { client, asked } = scripted([() => stream([started, token(1, 'a')], 'stay'), gone])
    for await (const { event } of client.tasks.run(request)) if (event === 'token') break
    assert.deepEqual(asked(), ['POST /v1/tasks', 'POST /v1/tasks/t/cancel'])
    const forgotten = (): Response => refusal(404, { code: 'NOT_FOUND', retriable: false })
    const late = scripted([() => stream([started, token(1, 'a')], 'stay'), forgotten])
    for await (const { event } of late.client.tasks.run(request)) if (event === 'token') break
    assert.deepEqual(late.asked(), ['POST /v1/tasks', 'POST /v1/tasks/t/cancel'])
  })

  it('cancels on abort, also while it waits and while nobody reads', async () => {
    const aborting = new AbortController()
    const reason = new Error('enough')
    const { client, asked } = scripted([
      () => stream([started], 'break'),
      () => {
        aborting.abort(reason)
        throw new TypeError('fetch failed')
      },
      gone,
    ])
    await assert.rejects(client.tasks.run(request, { signal: aborting.signal }).text(), reason)
    assert.equal(asked().at(-1), 'POST /v1/tasks/t/cancel')

    const idle = new AbortController()
    const canceled = Promise.withResolvers<string>()
    const other = scripted([
      () => stream([started, token(1, 'a'), token(2, 'b')], 'stay'),
      ({ url }) => {
        canceled.resolve(url)
        return gone()
      },
    ])
    const run = other.client.tasks.run(request, { signal: idle.signal })
    await run.next()
    idle.abort()
    assert.match(await canceled.promise, /\/t\/cancel$/)
    await assert.rejects(run.next(), { name: 'AbortError' })
  })

  it('cancels nothing that has ended when its signal aborts later', async () => {
    const later = new AbortController()
    const { client, asked } = scripted([() => stream([started, token(1, 'a'), end]), gone])
    assert.equal(await client.tasks.run(request, { signal: later.signal }).text(), 'a')
    later.abort()
    await settled()
    assert.deepEqual(asked(), ['POST /v1/tasks'])
  })

  it('asks for nothing where it was aborted before', async () => {
    const { client, asked } = scripted([])
    await assert.rejects(client.tasks.run(request, { signal: AbortSignal.abort() }).text(), { name: 'AbortError' })
    assert.deepEqual(asked(), [])
  })

  it('cancels a task that the daemon may not have yet until it has it, and says where it may go on', async () => {
    const unknown = (): Response => refusal(404, { code: 'NOT_FOUND', retriable: false })
    const abortDuring =
      (aborting: AbortController): Step =>
      ({ signal }) => {
        aborting.abort()
        return Promise.reject(signal.reason as Error)
      }
    const first = new AbortController()
    const late = scripted([abortDuring(first), unknown, unknown, gone])
    await assert.rejects(late.client.tasks.run(request, { signal: first.signal }).text(), { name: 'AbortError' })
    assert.deepEqual(late.left, [])
    const second = new AbortController()
    const never = scripted([abortDuring(second), ...Array<Step>(5).fill(unreachable)])
    await assert.rejects(never.client.tasks.run(request, { signal: second.signal }).text(), ConnectionError)
    assert.deepEqual(never.left, [])
  })
})

describe('tasks.stream', () => {
  it('reads on from an id, and cancels nothing when the reader leaves', async () => {
    const { client, asked } = scripted([() => stream([token(2, 'b'), token(3, 'c')], 'stay')])
    for await (const { event } of client.tasks.stream('t', { last_event_id: '1-00000000' })) if (event === 'token') break
    assert.deepEqual(asked(), ['GET /v1/tasks/t/stream after 1-00000000'])
  })

  it('ends where everything is there', async () => {
    const { client } = scripted([gone])
    assert.deepEqual(await collected(client.tasks.stream('t', { last_event_id: 'end' })), [])
  })
})
