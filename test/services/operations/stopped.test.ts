import assert from 'node:assert/strict'
import type { AnswerFormat } from '../../../src/services/tasks/door-tasks.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig, taskOf, teach } from '../../harness/rig.ts'

describe('a daemon that has stopped', () => {
  it('has written what was only counted, and what was learned', async () => {
    const rig = await startRig()
    teach(rig.pool())
    await refusalOf(rig.admit({ max_tokens: 100_000 }))
    assert.equal(rig.storage.facts('usage').length, 0)
    const stopping = rig.quiesce(0)
    await rig.clock.advance(0)
    await stopping
    assert.deepEqual(
      rig.storage.facts('usage').map(({ more }) => more.refusals),
      [1],
    )
    await rig.stop()
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.deepEqual(next.pool().estimator.stored, rig.pool().estimator.stored)
  })

  it('waits for nothing any more, whatever was under way', async () => {
    const pools = [
      poolConfig({ replicas: [{ id: 'r0', slots: 4 }] }),
      ...['drains', 'fails'].map((id) => poolConfig({ id, model: `mock:${id}` })),
    ]
    const rig = await startRig({ pools })
    const format = (): AnswerFormat => ({
      own: true,
      begun: false,
      failure: undefined,
      started: () => '',
      part: () => '',
      terminal: () => '',
    })
    const request = taskOf({ task_id: undefined })
    const left = await rig.doorTasks.open({ principal: ann, request, correlation_id: 'c', stays: false }, format)
    left.source.close()
    await rig.run({ task_id: 'read' })
    await rig.tail('read')
    await rig.run({ model_ref: 'mock:drains' })
    await rig.drain.order('drains', 600_000)
    rig.engine('fails/r0').onStart = () => Promise.reject(new Error('cannot'))
    rig.engine('fails/r0').die()
    await rig.run({ task_id: 'ends' })
    rig.storage.broken = true
    rig.engine().call.finish()
    await rig.clock.advance(1000)
    const stopping = rig.quiesce(0)
    await rig.clock.advance(0)
    await stopping
    await rig.stop()
    await settled()
    assert.equal(rig.clock.pending, 0)
  })
})
