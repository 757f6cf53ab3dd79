import assert from 'node:assert/strict'
import fc from 'fast-check'
import { firstOfOwn } from '../../../src/services/feed/order.ts'
import type { Pool } from '../../../src/services/pools/pool.ts'
import type { LiveTask } from '../../../src/services/tasks/live-task.ts'

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
