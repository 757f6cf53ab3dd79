import assert from 'node:assert/strict'
import { Estimator } from '../../../src/domain/prediction/estimator.ts'
import { runningOf } from '../../../src/domain/prediction/work.ts'
import { settled } from '../../harness/fake-clock.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'

const service_ms = 12_000
/** A task of 60 tokens of 200 ms; its probe is as slow. */
const long = { max_tokens: 60 }
const probe = { prompt_tokens: 3, prefill_ms: 200, tokens_out: 8, decode_ms: 7 * 200 }

/** Lets the running task come as far as so many tokens, 200 ms each. */
async function play(rig: Rig, tokens: number): Promise<void> {
  for (let i = 0; i < tokens; i++) {
    await rig.clock.advance(200)
    rig.engine().call.say('x')
  }
}

const near = (told: number, real: number): void => assert.ok(Math.abs(told - real) <= 0.1 * real, `${told} was told, ${real} it is`)

describe('a cold queue', () => {
  it('says what a probe of its engine says while its first task runs, in the 202, the 429 and the chance to be on time', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 1 } })], props: { probe } })
    await rig.run({ task_id: 'first', ...long })
    const reply = await rig.run({ task_id: 'second', ...long, deadline_ms: service_ms })
    near(reply.predicted_start_ms, service_ms)
    assert.equal(reply.prediction_basis, 'probe')
    near((await refusalOf(rig.admit())).details.retry_after_ms ?? 0, service_ms)
    const tail = await rig.tail('second')
    await rig.clock.advance(1000)
    const metrics = tail.frames.at(-1)?.data ?? {}
    assert.ok(Number(metrics['on_time_probability']) < 0.1, String(metrics['on_time_probability']))
  })

  it('learns from its first task while that runs, where there was no probe or it was wrong', async () => {
    for (const props of [{}, { probe: { ...probe, decode_ms: 7 } }]) {
      const rig = await startRig({ props })
      await rig.run({ task_id: 'first', ...long })
      await play(rig, 20)
      const reply = await rig.run({ task_id: 'second', ...long })
      near(reply.predicted_start_ms, 40 * 200)
      assert.equal(reply.prediction_basis, 'running')
      // What waits already is worth another time as well.
      near((await rig.run({ task_id: 'third', ...long })).predicted_start_ms, 40 * 200 + service_ms)
    }
  })

  it('believes a first token that does not come to be late, not to be there any moment', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'first', ...long, max_tokens: 2 })
    // Before the pool's idle_ms, which would end it.
    await rig.clock.advance(20_000)
    const { predicted_start_ms, prediction_basis } = await rig.run({ task_id: 'second', ...long, max_tokens: 2 })
    near(predicted_start_ms, 20_000)
    assert.equal(prediction_basis, 'running')
    near((await rig.run({ task_id: 'third' })).predicted_start_ms, 20_000 + 40_000)
  })

  it('tells what it has no reason for as assumed, and from the first end on what it has seen', async () => {
    const rig = await startRig()
    assert.equal((await rig.run({ task_id: 'first', ...long })).prediction_basis, 'assumed')
    await play(rig, 60)
    rig.engine().call.finish({ tokens_out: 60 })
    await settled()
    assert.equal((await rig.run(long)).prediction_basis, 'history')
    near((await rig.run(long)).predicted_start_ms, service_ms)
  })

  it('comes back from a restart with what it had learned of its model, and of no other', async () => {
    const storage = new MemoryStorage()
    const rig = await startRig({ storage })
    await rig.run({ task_id: 'first', ...long })
    await play(rig, 60)
    rig.engine().call.finish({ tokens_out: 60 })
    await rig.clock.advance(60_000)
    const next = await startRig({ storage, clock: rig.clock })
    await next.run(long)
    const reply = await next.run(long)
    near(reply.predicted_start_ms, service_ms)
    assert.equal(reply.prediction_basis, 'history')
    const other = await startRig({ storage, clock: rig.clock, pools: [poolConfig({ model: 'mock:other' })] })
    assert.equal((await other.run({ ...long, model_ref: 'mock:other' })).prediction_basis, 'assumed')
  })

  it('restores all that it had learned, to the last figure', () => {
    const estimator = new Estimator()
    for (let i = 1; i < 40; i++)
      estimator.observe({ prompt_tokens: i, max_tokens: 100, open: i % 3 === 0, tokens_out: 2 * i, prefill_ms: 3 * i, decode_ms: 50 * i })
    const restored = new Estimator()
    restored.restore(JSON.parse(JSON.stringify(estimator.stored)) as NonNullable<typeof estimator.stored>)
    assert.deepEqual(restored.stored, estimator.stored)
    for (const open of [true, false]) {
      const shape = { prompt_tokens: 7, max_tokens: 90, open }
      const [a, b] = [estimator, restored].map((one) => one.outlook(runningOf([]), 0).left(shape, { tokens: 11, since_ms: 3 }))
      assert.deepEqual(a, b)
    }
  })
})
