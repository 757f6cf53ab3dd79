import assert from 'node:assert/strict'
import { poolHealth } from '../../../src/services/pools/pool-views.ts'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig } from '../../harness/rig.ts'

const pools = [
  poolConfig({
    replicas: [
      { id: 'r0', slots: 50 },
      { id: 'r1', slots: 50 },
    ],
  }),
]

describe('a replica whose tasks fail', () => {
  it('gets no more of them, says so, and is tried with one', async () => {
    const rig = await startRig({ pools })
    rig.engine('pool/r0').generate = () => Promise.reject(new EngineError('it answers HTTP 500', { retriable: true }))
    for (let i = 0; i < 3; i++) await rig.run({ task_id: `t${i}` })
    const { replicas, last_error } = poolHealth(rig.pool())
    assert.equal(last_error, 'its tasks failed, the last with: it answers HTTP 500')
    assert.deepEqual([replicas[0]?.state, replicas[0]?.restart_in_ms, replicas[1]?.state], ['down', 250, 'ready'])
    assert.ok(
      rig.lines.some(({ level, message }) => level === 'warn' && message.startsWith('Replica r0 of pool pool is down until it is tried')),
    )
    assert.equal(rig.task('t2').replica_id, 'r1', 'the third has moved')
  })

  it('is none where 50 clients leave', async () => {
    const rig = await startRig({ pools })
    for (let i = 0; i < 50; i++) await rig.run({ task_id: `t${i}` })
    for (let i = 0; i < 50; i++) await rig.cancellation.cancel(ann, `t${i}`)
    await settled()
    assert.deepEqual(
      rig.pool().replicas.map(({ state, busy, last_error }) => [state, busy, last_error]),
      [
        ['ready', 0, undefined],
        ['ready', 0, undefined],
      ],
    )
  })
})
