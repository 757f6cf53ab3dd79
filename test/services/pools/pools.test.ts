import { poolCapability, poolHealth, poolSummary } from '../../../src/services/pools/pool-views.ts'
import { DaemonEvents } from '../../../src/services/daemon-events.ts'
import { meter } from '../../../src/services/telemetry/metrics.ts'
import assert from 'node:assert/strict'
import { startMs } from '../../../src/domain/prediction/forecast.ts'
import type { Metrics } from '../../../src/ports/telemetry.ts'
import { Pool } from '../../../src/services/pools/pool.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig, taught_ms, teach } from '../../harness/rig.ts'
import { ScriptedEngine } from '../../harness/scripted-engine.ts'

const two = poolConfig({
  replicas: [
    { id: 'r0', slots: 1, devices: [0] },
    { id: 'r1', slots: 2, devices: [1] },
  ],
})

describe('pools', () => {
  it('say how they are: slots of what is up, queue by class, last error, restarts', async () => {
    const rig = await startRig({ pools: [two] })
    for (const priority of ['interactive', 'interactive', 'interactive', 'interactive', 'batch'] as const) await rig.run({ priority })
    const pool = rig.pool()
    assert.deepEqual(poolHealth(pool).metrics, { queue_depth: 2, queued_interactive: 1, queued_batch: 1, slots: 3, slots_busy: 3 })
    assert.deepEqual([poolHealth(pool).live, poolHealth(pool).ready, poolHealth(pool).last_error], [true, true, undefined])
    rig.engine('pool/r0').onStart = () => Promise.reject(new Error('no memory'))
    rig.engine('pool/r0').die()
    await rig.clock.advance(300)
    const health = poolHealth(pool)
    assert.deepEqual([health.ready, health.last_error, health.metrics.slots], [true, 'no memory', 2])
    const [down, up] = health.replicas
    assert.deepEqual(down, {
      ...{ replica_id: 'r0', state: 'down', slots: 1, slots_busy: 0, devices: [0], engine_version: 'scripted-1' },
      ...{ restarts: 1, restart_in_ms: 450, last_error: 'no memory' },
    })
    assert.deepEqual(up, {
      replica_id: 'r1',
      state: 'ready',
      slots: 2,
      slots_busy: 2,
      devices: [1],
      engine_version: 'scripted-1',
      restarts: 0,
    })
    const summary = { pool_id: 'pool', engine: 'mock', model_ref: 'mock:v1', live: true, ready: true, draining: false }
    assert.deepEqual(poolSummary(pool), { ...summary, slots: 2, slots_busy: 2, queue_depth: 3 })
  })

  it('are not live when every replica is down, and tell when the first is expected back', async () => {
    const rig = await startRig({ pools: [two] })
    rig.engine('pool/r0').die()
    rig.engine('pool/r1').onStart = () => Promise.reject(new Error('no'))
    rig.engine('pool/r1').die()
    await rig.clock.advance(100)
    const pool = rig.pool()
    assert.deepEqual([pool.live, pool.ready, pool.slots, pool.readyAfterMs], [false, false, 0, 1000])
    rig.engine('pool/r0').onStart = () => Promise.reject(new Error('no'))
    await rig.clock.advance(250 + 500 + 1000 + 2000)
    assert.equal(pool.readyAfterMs, Math.min(...pool.replicas.map(({ restart_at = Infinity }) => restart_at - rig.clock.now())))
    assert.ok(pool.readyAfterMs > 1000)
  })

  it('tell what they can: the engine’s own limits within those of the configuration', async () => {
    const props = {
      ctx_max: 100,
      workloads: ['completion', 'embedding'] as const,
      replayable: true,
      features: ['stop_sequences', 'kv_reuse'] as const,
    }
    const rig = await startRig({ pools: [poolConfig({ ctx: 200, sampler_profile_version: 'v2' })], props })
    assert.deepEqual(poolCapability(rig.pool()), {
      ...{ engine: 'mock', engine_version: 'scripted-1', pool_id: 'pool', model_ref: 'mock:v1', sampler_profile_version: 'v2' },
      ...{ ctx_max: 100, max_tokens_out: 99, slots: 1, supported_workloads: ['completion', 'embedding'] },
      ...{ rate_limits: { queue_capacity: 64, full_policy: 'reject' }, features: ['replayable', 'stop_sequences', 'kv_reuse'] },
    })
    const unknown = await startRig({ prepare: (engine) => (engine.onStart = () => new Promise(() => undefined)) })
    const capability = poolCapability(unknown.pool())
    assert.deepEqual(
      [capability.engine_version, capability.ctx_max, capability.supported_workloads, capability.features],
      ['unknown', 8192, [], []],
    )
    assert.deepEqual([unknown.pool().live, unknown.pool().ready], [true, false])
  })

  it('predict a start from what runs and what waits', async () => {
    const rig = await startRig({ pools: [two] })
    const pool = rig.pool()
    teach(pool)
    const taught = { prompt_tokens: 3, max_tokens: 10 }
    const startOf = (position: number): number =>
      startMs(pool.predictStart({ position, work_ms: position * pool.estimator.work(taught), may_pass: 0 }, 'interactive'))
    assert.equal(startOf(0), 0)
    for (let i = 0; i < 3; i++) await rig.run()
    assert.deepEqual([startOf(0), pool.retryAfterMs()], [taught_ms, taught_ms])
    await rig.clock.advance(2)
    assert.equal(startOf(0), taught_ms - 2)
    await rig.clock.advance(1)
    const [first, second] = ['pool/r0', 'pool/r1'].map((name) => rig.engine(name).call)
    first?.say('a')
    second?.say('b')
    await rig.clock.advance(6)
    assert.deepEqual([startOf(0), startOf(1), startOf(2), startOf(3)], [84, 84, 90, 84 + taught_ms])
    await rig.clock.advance(1000)
    assert.equal(startOf(0), 80, 'an engine that pauses still has its tokens to generate')
    for (let i = 0; i < 9; i++) first?.say('a')
    assert.deepEqual([startOf(0), pool.retryAfterMs()], [0, 1], 'all tokens are there, so any moment now')
  })

  it('learn how long tasks take', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'a', max_tokens: 100 })
    const shape = { prompt_tokens: 3, max_tokens: 100 }
    const before = rig.pool().outlook.serviceMs(shape)
    await rig.clock.advance(30)
    for (let i = 0; i < 10; i++) {
      rig.engine().call.say('x')
      await rig.clock.advance(5)
    }
    rig.engine().call.finish()
    await settled()
    await rig.run({ task_id: 'b', max_tokens: 100 })
    // 10 ms a prompt token, and a tenth of max_tokens at 5 ms each.
    assert.ok(before > 500)
    assert.ok(Math.abs(rig.pool().outlook.serviceMs(shape) - (3 * 10 + 9 * 5)) < 1e-6)
    assert.ok(Math.abs(rig.task('b').work_ms * rig.pool().outlook.pace - (3 * 10 + 9 * 5)) < 1e-6)
  })

  it('report their queue under the version of the engine that is up, and no other', async () => {
    const samples = new Map<string, number>()
    const nothing = (): void => undefined
    const metrics: Metrics = {
      count: nothing,
      observe: nothing,
      gauge: (name, labels, value) => void samples.set(`${name} ${Object.values(labels).join(' ')}`, value),
      forget: (name, labels) => void samples.delete(`${name} ${Object.values(labels).join(' ')}`),
    }
    const events = new DaemonEvents(nothing)
    events.listen(meter(metrics))
    const engineOf = (): ScriptedEngine => new ScriptedEngine()
    const pool = new Pool((await startRig()).pool().config, { engineOf, clock: new FakeClock(), events, jitter: () => 1 })
    pool.reportDepth()
    assert.equal(samples.size, 0, 'of a reload that is not done')
    pool.current = true
    pool.reportDepth()
    assert.deepEqual([...samples.keys()], ['queue_depth mock unknown pool interactive', 'queue_depth mock unknown pool batch'])
    await pool.start()
    assert.deepEqual([...samples.keys()], ['queue_depth mock scripted-1 pool interactive', 'queue_depth mock scripted-1 pool batch'])
  })

  it('stop for good', async () => {
    const rig = await startRig({ pools: [two] })
    await rig.pools.stop()
    await rig.clock.advance(600_000)
    assert.deepEqual([rig.pool().live, rig.engine('pool/r0').starts, rig.engine('pool/r1').stops], [false, 1, 1])
    assert.throws(() => rig.pools.get('nope'), /No such pool/)
    await settled()
  })
})
