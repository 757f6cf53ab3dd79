import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, poolConfig, refusalOf, startRig, taskOf, taught_ms, teach } from '../../harness/rig.ts'

const queue = (fields: object): Record<string, unknown>[] => [poolConfig({ queue: fields })]

describe('admission', () => {
  it('answers once the task is durable, with what it promised', async () => {
    const rig = await startRig()
    rig.storage.hold()
    let answered = false
    const admitted = rig.admit({ task_id: 't', seed: 7 }).finally(() => (answered = true))
    await settled()
    assert.equal(answered, false)
    assert.equal(rig.engine().calls.length, 0, 'dispatched before it was durable')
    rig.storage.release()
    const reply = await admitted
    const accepted_at = new Date(rig.clock.now()).toISOString()
    const place = { queue_position: 0, predicted_start_ms: 0, prediction_basis: 'assumed', backoff_ms: 0, pool_id: 'pool' }
    assert.deepEqual(reply, { task_id: 't', ...place, accepted_at })
    await settled()
    assert.equal(rig.engine().call.request.seed, 7)
    const [accepted] = rig.storage.facts('accepted')
    assert.deepEqual([accepted?.task.owner, accepted?.task.prompt_tokens, accepted?.task.correlation_id], ['ann', 3, 'c1'])
  })

  it('posts of one id with different bodies cost what each of them costs, however many come at once', async () => {
    const rig = await startRig()
    const readsEach = async (posts: number): Promise<number> => {
      let reads = 0
      const bodies = Array.from({ length: posts }, (_, seed) => {
        const get = (): string => {
          reads++
          return 'a prompt'
        }
        // Refused, so that each is judged by itself.
        return Object.defineProperty(taskOf({ task_id: 'one', seed, ctx: 100_000 }), 'prompt', { enumerable: true, get })
      })
      const refused = bodies.map(async (body) => (await refusalOf(rig.admission.admit(ann, body, 'c'))).kind)
      assert.deepEqual(new Set(await Promise.all(refused)), new Set(['invalid_params']))
      return reads / posts
    }
    const few = await readsEach(2)
    assert.ok((await readsEach(40)) <= few)
  })

  it('counts what is on its way to disk against what may wait of a key', async () => {
    const rig = await startRig({ keyLimits: { ann: { queued_tasks: 1 } } })
    rig.storage.hold()
    const first = rig.admit()
    await settled()
    const second = refusalOf(rig.admit())
    await settled()
    rig.storage.release()
    await first
    const { kind, details } = await second
    assert.deepEqual([kind, details.retry_after_ms], ['rate_limited', 1], 'that one has a free slot, and nobody is to come at once')
  })

  it('draws a seed where the client gives none', async () => {
    const rig = await startRig()
    await rig.run({ seed: undefined })
    assert.equal(rig.engine().call.request.seed, 4242)
  })

  it('tells the place in the queue: the tasks ahead and when it starts', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { batch_every: 3 } })] })
    teach(rig.pool())
    const replies = []
    for (const priority of ['interactive', 'interactive', 'interactive', 'interactive', 'batch'] as const)
      replies.push(await rig.run({ priority }))
    assert.deepEqual(
      replies.map(({ queue_position }) => queue_position),
      [0, 0, 1, 2, 2],
    )
    const starts = replies.map(({ predicted_start_ms }) => predicted_start_ms)
    assert.deepEqual(
      starts,
      [0, 1, 2, 3, 3].map((tasks) => tasks * taught_ms),
    )
    assert.deepEqual(
      replies.map(({ backoff_ms }) => backoff_ms),
      starts,
    )
  })

  it('gives the same reply to the same request again: in flight, queued, running and finished', async () => {
    const rig = await startRig()
    const request = taskOf({ task_id: 't' })
    rig.storage.hold()
    const twins = [rig.admission.admit(ann, request, 'c1'), rig.admission.admit(ann, { ...request }, 'c2')]
    await settled()
    rig.storage.release()
    const [first, second] = await Promise.all(twins)
    assert.deepEqual(first, second)
    await settled()
    assert.deepEqual(await rig.admission.admit(ann, request, 'c3'), first)
    rig.engine().call.finish()
    await settled()
    assert.equal(rig.live.size, 0)
    assert.deepEqual(await rig.admission.admit(ann, request, 'c4'), first)
    // The order of keys is none of the body.
    const reversed = Object.fromEntries(Object.entries(request).reverse()) as typeof request
    assert.deepEqual(await rig.admission.admit(ann, reversed, 'c5'), first)
    assert.equal(rig.storage.facts('accepted').length, 1)
    assert.equal(rig.engine().calls.length, 1)
    assert.equal(rig.metric('tasks_enqueued_total').length, 1)
    assert.equal(rig.live.size, 0)
  })

  it('answers the repetition of a finished task with its old reply also where it would refuse it now', async () => {
    const rig = await startRig({ pools: queue({ capacity: 1, full_policy: 'drop-lru' }), sessions: { max_turns: 1 } })
    const request = taskOf({ task_id: 't' })
    const reply = await rig.admission.admit(ann, request, 'c1')
    await settled()
    rig.engine().call.finish()
    await rig.run()
    const { task_id } = await rig.run({}, bob)
    // Its session has no turn left, the queue is full, and the daemon stops: none of it matters.
    assert.deepEqual(await rig.admission.admit(ann, request, 'c2'), reply)
    assert.equal(rig.task(task_id, 'bob').phase, 'queued')
    rig.admission.close()
    assert.deepEqual(await rig.admission.admit(ann, request, 'c3'), reply)
    assert.equal((await refusalOf(rig.admit())).kind, 'pool_unready')
  })

  it('refuses another body under the same id: in flight, live and finished', async () => {
    const rig = await startRig()
    rig.storage.hold()
    const first = rig.admit({ task_id: 't' })
    const other = refusalOf(rig.admit({ task_id: 't', max_tokens: 11 }))
    await settled()
    rig.storage.release()
    await first
    assert.equal((await other).kind, 'conflict')
    assert.equal((await refusalOf(rig.admit({ task_id: 't', max_tokens: 11 }))).kind, 'conflict')
    await settled()
    rig.engine().call.finish()
    await settled()
    assert.equal((await refusalOf(rig.admit({ task_id: 't', max_tokens: 11 }))).kind, 'conflict')
    assert.equal((await rig.admit({ task_id: 't', max_tokens: 11 }, bob)).task_id, 't')
  })

  it('judges another body by itself where the one in flight is refused', async () => {
    const rig = await startRig()
    rig.engine().onCount = () => new Promise((resolve) => setImmediate(() => resolve(3)))
    const refused = refusalOf(rig.admit({ task_id: 't', ctx: 9000 }))
    const other = rig.admit({ task_id: 't' })
    const third = refusalOf(rig.admit({ task_id: 't', max_tokens: 11 }))
    assert.equal((await refused).kind, 'invalid_params')
    assert.equal((await other).task_id, 't')
    assert.equal((await third).kind, 'conflict')
    assert.equal(rig.storage.facts('accepted').length, 1)
  })

  it('lets a twin in flight fail with the commit it waits for', async () => {
    const rig = await startRig()
    rig.storage.broken = true
    const twins = [refusalOf(rig.admit({ task_id: 't' })), refusalOf(rig.admit({ task_id: 't' }))]
    for (const twin of await Promise.all(twins)) assert.equal(twin.kind, 'pool_unavailable')
    rig.storage.broken = false
    assert.equal((await rig.run({ task_id: 't' })).queue_position, 0)
    assert.equal(rig.engine().calls.length, 1)
  })

  it('refuses at capacity, and says when a place is expected', async () => {
    const rig = await startRig({ pools: queue({ capacity: 1, full_policy: 'reject' }) })
    teach(rig.pool())
    await rig.run()
    await rig.run()
    await rig.clock.advance(3)
    rig.engine().call.say('a')
    await rig.clock.advance(7)
    const error = await refusalOf(rig.admit())
    assert.deepEqual(
      [error.kind, error.code, error.details.policy_label, error.details.retry_after_ms],
      ['queue_full', 'ADMISSION_REJECT', 'reject', taught_ms - 10],
    )
    assert.deepEqual(
      rig.metric('admission_backpressure_events_total').map(({ labels }) => labels),
      [{ engine: 'mock', policy: 'reject' }],
    )
    assert.deepEqual(
      rig.metric('tasks_rejected_total').map(({ labels }) => labels),
      [{ engine: 'mock', reason: 'ADMISSION_REJECT' }],
    )
    assert.equal(rig.live.size, 2)
  })

  it('refuses a task that has hardly a chance to end within its deadline', async () => {
    const rig = await startRig()
    teach(rig.pool())
    await rig.run()
    const error = await refusalOf(rig.admit({ deadline_ms: 2 * taught_ms - 1 }))
    assert.equal(error.kind, 'deadline_unmet')
    assert.match(error.message, /^body\.deadline_ms: .*start in about 93 ms and take about 93 ms; .* within 185 ms$/)
    assert.equal((await rig.admit({ deadline_ms: 2 * taught_ms })).predicted_start_ms, taught_ms)
  })

  it('refuses nobody for a deadline while it has seen next to nothing', async () => {
    const rig = await startRig()
    await rig.run()
    teach(rig.pool(), 4)
    await rig.admit({ deadline_ms: 1 })
    teach(rig.pool(), 1)
    assert.equal((await refusalOf(rig.admit({ deadline_ms: 1 }))).kind, 'deadline_unmet')
  })

  it('leaves nothing behind of a task it refused', async () => {
    const rig = await startRig({ pools: queue({ capacity: 1, full_policy: 'reject' }) })
    teach(rig.pool())
    await rig.run()
    await rig.run()
    for (const fields of [{ session_id: 'new' }, { session_id: 'new', ctx: 9000 }, { session_id: 'new', deadline_ms: 1 }])
      await refusalOf(rig.admit(fields))
    assert.throws(() => rig.sessions.info(ann, 'new'), /No such session/)
    assert.equal(rig.live.size, 2)
    assert.equal(rig.pool().scheduler.depth(), 1)
  })
})
