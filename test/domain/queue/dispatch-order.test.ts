import assert from 'node:assert/strict'
import fc from 'fast-check'
import { dispatchOrder } from '../../../src/domain/queue/dispatch-order.ts'
import { Scheduler, unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'
import type { Priority } from '../../../src/domain/task.ts'

const priority = fc.constantFrom<Priority>('interactive', 'batch')

/** What happened to a queue before it is listed. */
const past = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant('admit' as const), priority }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('next' as const), priority }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('requeue' as const), priority }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const), priority }) },
  ),
  { maxLength: 60 },
)

describe('the order of dispatch', () => {
  it('is the one in which the tasks are taken out', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 8), past, fc.nat(), (batch_every, steps, pick) => {
        const scheduler = new Scheduler<Schedulable>({ capacity: 1000, full_policy: 'reject', batch_every })
        const running: Schedulable[] = []
        steps.forEach((step, n) => {
          if (step.what === 'admit') {
            const task = { id: `t${n}`, owner: 'ann', priority: step.priority, deadline_at: n, work_ms: 1, ...unplaced }
            scheduler.admit(task)
            scheduler.confirm(task)
          } else if (step.what === 'next') running.push(...[scheduler.next()].flatMap((task) => task ?? []))
          else if (step.what === 'requeue') running.splice(0, 1).forEach((task) => scheduler.requeue(task))
          else [...scheduler.tasks()].filter((_, i) => i === pick % 7).forEach((task) => scheduler.remove(task))
        })
        const promised = [...scheduler.inOrder()].map(({ id }) => id)
        const positions = [...scheduler.inOrder()].map((task) => scheduler.ahead(task)?.position)
        assert.deepEqual(positions, [...promised.keys()])
        const taken: string[] = []
        for (let task = scheduler.next(); task !== undefined; task = scheduler.next()) taken.push(task.id)
        assert.deepEqual(promised, taken)
      }),
      { numRuns: 300 },
    )
  })

  it('looks no further than it is asked to', () => {
    function* endless(): Generator<string> {
      for (let n = 0; ; n++) yield `i${n}`
    }
    const order = dispatchOrder(endless(), ['b0', 'b1'], 3, 1)
    assert.deepEqual(
      Array.from({ length: 8 }, () => order.next().value as unknown),
      ['i0', 'b0', 'i1', 'i2', 'b1', 'i3', 'i4', 'i5'],
    )
  })
})
