import assert from 'node:assert/strict'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, refusalOf, startRig } from '../../harness/rig.ts'

const full = (again_ms?: number): EngineError =>
  new EngineError('the engine takes no more requests now (HTTP 429)', { retriable: true, busy: true, again_ms })
const named = { model_ref: 'm', engine: undefined }
const [own, cloud] = ['own', 'cloud'].map((id) => poolConfig({ id, model: `mock:${id}` })) as [object, object]

describe('a task whose engine takes no more', () => {
  it('goes to another pool that takes it, before its own is asked again', async () => {
    const rig = await startRig({ pools: [own, cloud] as never, models: [{ name: 'm', pools: ['own'], fallback: ['cloud'] }] })
    await rig.run({ ...named, task_id: 't' })
    rig.engine('own/r0').call.fail(full())
    await settled()
    assert.deepEqual([rig.task('t').pool.id, rig.task('t').phase, rig.engine('own/r0').calls.length], ['cloud', 'running', 1])
  })

  it('is not the one that makes its engine fail: it does not have it for itself', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    for (const task_id of ['beside', 't']) await rig.run({ task_id })
    for (let runs = 0; runs < 2; runs++) {
      rig.engine().call.fail(full())
      await settled()
    }
    assert.deepEqual([rig.engine().calls.length, rig.task('t').attempts], [4, 3])
  })

  it('ends after three runs with what is true, and may be sent again', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    for (let runs = 0; runs < 3; runs++) {
      rig.engine().call.fail(full())
      await settled()
    }
    const { code, message, retriable } = tail.end ?? {}
    assert.deepEqual([code, message, retriable], ['POOL_UNREADY', 'The engine takes no more tasks now; send it again later.', true])
    assert.equal(rig.engine().calls.length, 3)
  })

  it('waits where its engine says when to ask again: the replica is left alone until then, and one task sees whether it takes them', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    for (const task_id of ['beside', 't', 'next']) await rig.run({ task_id })
    rig.engine().call.fail(full(120_000))
    await settled()
    const [replica] = rig.pool().replicas
    assert.deepEqual([rig.task('beside').phase, rig.task('t').phase], ['running', 'queued'])
    assert.deepEqual([replica?.state, replica?.restart_in_ms, replica?.last_error], ['down', 120_000, full().message])
    const { kind, details } = await refusalOf(rig.admit())
    assert.deepEqual([kind, details.retry_after_ms], ['replica_exhausted', 120_000])

    await rig.clock.advance(119_999)
    assert.equal(rig.engine().calls.length, 2)
    await rig.clock.advance(1)
    assert.deepEqual([rig.engine().calls.length, rig.task('t').phase, rig.task('next').phase], [3, 'running', 'queued'])
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([rig.task('next').phase, replica?.state, replica?.breaker.state], ['running', 'ready', 'closed'])
    assert.equal(rig.engine().starts, 1, 'it was there all the time')
  })

  it('is not waited for until tomorrow: after ten minutes it is asked again', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't', deadline_ms: 3_600_000 })
    rig.engine().call.fail(full(86_400_000))
    await settled()
    await rig.clock.advance(600_000)
    assert.equal(rig.engine().calls.length, 2)
  })
})
