import assert from 'node:assert/strict'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { poolConfig, startRig } from '../../harness/rig.ts'

const full = (): EngineError => new EngineError('the engine takes no more requests now (HTTP 429)', { retriable: true, busy: true })
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
})
