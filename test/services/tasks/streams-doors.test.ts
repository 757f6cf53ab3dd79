import assert from 'node:assert/strict'
import { ann, startRig } from '../../harness/rig.ts'

describe('streams of doors', () => {
  it('have no metrics counted where their door tells of none', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const silent = { own: true, started: () => '', part: () => '', terminal: () => '' }
    await rig.streams.open(ann, 't', { kind: 'start' }, silent)
    await rig.clock.advance(5000)
    const tail = await rig.tail('t')
    assert.equal(tail.kinds, 'started')
    await rig.clock.advance(1000)
    assert.equal(tail.kinds, 'started metrics')
  })
})
