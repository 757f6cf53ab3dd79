import assert from 'node:assert/strict'
import { ann, bob, boss, poolConfig, refusalOf, startRig } from '../../harness/rig.ts'
import { Watcher } from './watcher.kit.ts'

describe('what is told of a key and of a pool', () => {
  it('is what has become of their tasks, of a key in the last ten minutes', async () => {
    const rig = await startRig()
    const watcher = new Watcher(rig.feed, boss).read()
    await rig.run({ task_id: 'running' })
    await rig.run({ task_id: 'late', deadline_ms: 1000 })
    await refusalOf(rig.admit({ max_tokens: 8192 }))
    rig.engine().call.say('x')
    await rig.clock.advance(6000)
    watcher.read()
    const told = () => {
      const { late, refused, tokens } = watcher.picture.keys.get('ann') ?? assert.fail('no key')
      return { late, refused, tokens }
    }
    assert.deepEqual(told(), { late: 1, refused: 1, tokens: 1 })
    const [point] = watcher.samples.flatMap(({ points }) => points)
    assert.deepEqual([point?.late, point?.waiting, point?.running, point?.tokens_out], [1, 0, 1, 1])
    await rig.clock.advance(630_000)
    watcher.read()
    assert.deepEqual({ ...told(), tokens: 0 }, { late: 0, refused: 0, tokens: 0 })
    assert.equal(new Watcher(rig.feed, ann).read().picture.keys.size, 1)
  })

  it('is how many of its own tasks run, whatever becomes of those of others', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 4 }] })] })
    await rig.run({ task_id: 'mine' })
    await rig.run({ task_id: 'theirs' }, bob)
    const watcher = new Watcher(rig.feed, ann).read()
    rig.engine().calls[1]?.finish()
    for (let beat = 0; beat < 5; beat++) {
      await rig.clock.advance(100)
      assert.equal(watcher.read().picture.running_total, 1)
    }
    rig.engine().calls[0]?.finish()
    await rig.clock.advance(500)
    assert.equal(watcher.read().picture.running_total, 0)
  })
})
