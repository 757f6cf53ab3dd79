import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Census } from '../../../src/services/feed/census.ts'
import { firstOfOwn } from '../../../src/services/feed/order.ts'
import type { Pool } from '../../../src/services/pools/pool.ts'
import type { LiveTask } from '../../../src/services/tasks/live-task.ts'
import { ann, bob, poolConfig, startRig } from '../../harness/rig.ts'

describe('a count of all tasks', () => {
  it('goes through so many at a time, tells of all once it is through, and is not kept up by those that come meanwhile', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 3 }] })] })
    for (let n = 0; n < 25; n++) await rig.run({}, n % 5 === 0 ? bob : ann)
    const census = new Census()
    const { live } = rig
    census.begin(live.all(), live.size)
    assert.deepEqual([census.step(10, rig.clock.now(), 1000), census.step(10, rig.clock.now(), 1000)], [false, false])
    assert.equal(census.tally.keys.size, 0)
    for (let n = 0; n < 25; n++) await rig.run({}, bob)
    assert.equal(census.step(10, rig.clock.now(), 1000), true)
    const { keys, waiting } = census.tally
    const counts = (name: string) => {
      const { running, untouched, begun, ...key } = keys.get(name)!
      return [key.waiting, running, untouched, begun.length]
    }
    // The first three run: the first one is of bob.
    assert.deepEqual(counts('ann'), [18, 2, 18, 2])
    assert.deepEqual(counts('bob'), [4, 1, 4, 1])
    assert.deepEqual([...waiting.get('pool')!].sort(), [
      ['ann', 18],
      ['bob', 4],
    ])
    assert.equal(census.step(10, rig.clock.now(), 1000), false)
  })
})

describe('the first tasks of a key', () => {
  it('are those that a sorted list has first, in whatever order they come', () => {
    const pools = ['a', 'b', 'c'].map((id) => ({ id }) as unknown as Pool<LiveTask>)
    const one = fc.record({
      ticket: fc.nat(1000),
      pool: fc.constantFrom(...pools),
      priority: fc.constantFrom('interactive', 'interactive', 'batch'),
      phase: fc.constantFrom('queued', 'queued', 'queued', 'running'),
    })
    const tasks = fc.uniqueArray(one, { selector: ({ ticket }) => ticket, maxLength: 80, size: 'max' })
    fc.assert(
      fc.property(tasks, fc.nat(6), (all, most) => {
        const own = all as unknown as readonly LiveTask[]
        const wanted = new Set(pools.slice(0, 2))
        const found = firstOfOwn(own, wanted, most)
        assert.deepEqual([...found.keys()], [...wanted])
        for (const [pool, firsts] of found) {
          const of = (priority: string) => own.filter((task) => task.pool === pool && task.phase === 'queued' && task.priority === priority)
          const sorted = (priority: string) => [...of(priority)].sort((a, b) => a.ticket - b.ticket).slice(0, most)
          assert.deepEqual(firsts, [...sorted('interactive'), ...sorted('batch')])
        }
      }),
    )
  })
})
