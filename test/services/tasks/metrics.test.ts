import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { startRig, taught_ms, teach, type Rig } from '../../harness/rig.ts'

const valuesOf = (rig: Rig, name: string): [unknown, number][] => rig.metric(name).map(({ labels, value }) => [labels['priority'], value])

describe('metrics of waiting', () => {
  it('tell how far the predicted start was from the real one, on either side, and of a first start only', async () => {
    const rig = await startRig()
    teach(rig.pool())
    await rig.run({ task_id: 'a' })
    await rig.run({ task_id: 'b' })
    await rig.clock.advance(30)
    rig.engine().call.finish()
    await settled()
    await rig.run({ task_id: 'c' })
    const predicted = rig.task('c').accepted.predicted_start_ms
    await rig.clock.advance(predicted + 1000)
    rig.engine().call.finish()
    await settled()
    rig.engine().die()
    await rig.clock.advance(5000)
    assert.equal(rig.task('c').attempts, 2)
    assert.deepEqual(
      rig.metric('predicted_start_error_ms').map(({ labels, value }) => [labels['direction'], value]),
      [
        ['late', 0],
        ['early', taught_ms - 30],
        ['late', 1000],
      ],
    )
  })

  it('count what ends after its deadline, started or not', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'a', deadline_ms: 1000 })
    await rig.run({ task_id: 'b', deadline_ms: 1000, priority: 'batch' })
    await rig.run({ task_id: 'c' })
    await rig.clock.advance(1000)
    rig.engine().call.finish()
    await settled()
    rig.engine().call.finish()
    await settled()
    assert.deepEqual(valuesOf(rig, 'tasks_late_total').sort(), [
      ['batch', 1],
      ['interactive', 1],
    ])
  })

  it('tell once a second how long the first in line has waited', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'a' })
    await rig.clock.advance(500)
    for (const task_id of ['b', 'c']) await rig.run({ task_id })
    await rig.clock.advance(1500)
    const last = valuesOf(rig, 'queue_oldest_age_ms').slice(-2)
    assert.deepEqual(last, [
      ['interactive', 1500],
      ['batch', 0],
    ])
    rig.engine().call.finish()
    await rig.clock.advance(1000)
    rig.engine().call.finish()
    await rig.clock.advance(1000)
    assert.deepEqual(valuesOf(rig, 'queue_oldest_age_ms').at(-2), ['interactive', 0])
  })
})
