import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { refusalOf, startRig } from '../../harness/rig.ts'

describe('a reload whose model is retired while it comes up', () => {
  it('is refused, and forgotten: the next start serves what was there', async () => {
    const rig = await startRig()
    let asked = 0
    rig.catalog.checkServable = () => {
      if (++asked === 2) throw new DomainError('model_deprecated', 'It is retired.')
    }
    const { pending } = rig.clock
    const refused = refusalOf(rig.reload.reload('pool', 'mock:new', 60_000))
    await settled()
    rig.engine().call.finish()
    assert.equal((await refused).kind, 'model_deprecated')
    assert.deepEqual([asked, rig.pool().config.model], [2, 'mock:v1'])
    assert.equal(rig.clock.pending, pending, 'nothing waits for its deadline')
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.equal(next.pool().config.model, 'mock:v1')
    await next.run({ task_id: 't' })
    assert.equal(next.task('t').phase, 'running')
  })
})
