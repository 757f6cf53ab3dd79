import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nothingSpent } from '../../../src/domain/accounts/budget.ts'
import type { TaskOutcome } from '../../../src/domain/task.ts'
import type { LiveTask } from '../../../src/services/tasks/live-task.ts'
import { settled } from '../../harness/fake-clock.ts'
import { startRig, type Rig } from '../../harness/rig.ts'

type Step =
  | 'accept'
  | 'restore'
  | 'abandon'
  | 'dispatch'
  | 'attempt'
  | 'requeue'
  | 'claim'
  | 'unclaim'
  | 'settle'
  | 'seal'
  | 'withdraw'
  | 'moveTo'

const r0 = { id: 'r0', props: undefined }
const outcome: TaskOutcome = { state: 'failed', finished_at: 1 }
const terminal = { error: { code: 'INTERNAL', message: 'it ends', retriable: true } } as const

/** What each step does to a task, and the phases it may come from; where it leads to, unless it stays. */
const steps: Readonly<
  Record<Step, { readonly from: readonly string[]; readonly to?: string; readonly run: (task: LiveTask, rig: Rig) => unknown }>
> = {
  accept: { from: ['tentative'], to: 'queued', run: (task) => task.accept() },
  restore: { from: ['tentative'], to: 'queued', run: (task) => task.restore(undefined, [], 1) },
  abandon: { from: ['tentative'], to: 'ended', run: (task) => task.abandon() },
  moveTo: { from: ['queued'], run: (task, rig) => task.moveTo(rig.pool()) },
  dispatch: { from: ['queued'], to: 'running', run: (task) => task.dispatch('r0', 1, () => undefined) },
  attempt: { from: ['running'], run: (task) => task.attempt(r0, 'replay', 1) },
  requeue: { from: ['running'], to: 'queued', run: (task) => task.requeue() },
  claim: { from: ['queued', 'running', 'ending', 'ended'], to: 'ending', run: (task) => task.claim(false) },
  unclaim: { from: ['ending'], to: 'queued', run: (task) => task.unclaim() },
  settle: { from: ['ending'], run: (task) => task.settle(nothingSpent) },
  withdraw: { from: ['ending'], run: (task) => task.withdraw(1) },
  seal: { from: ['ending'], to: 'ended', run: (task) => task.seal(outcome, terminal) },
}

/** A task whose acceptance is on the way to disk, which the rig does not move on by itself. */
async function tentativeTask(): Promise<{ readonly rig: Rig; readonly task: LiveTask }> {
  const rig = await startRig()
  rig.storage.hold()
  rig.admit({ task_id: 't' }).catch(() => undefined)
  await settled()
  return { rig, task: rig.task('t') }
}

describe('a task owns its phase', () => {
  it('goes only where its machine says, and throws everywhere else, whatever the order', async () => {
    const names = Object.keys(steps) as Step[]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...names), { maxLength: 40 }), async (order) => {
        const { rig, task } = await tentativeTask()
        for (const name of order) {
          const { phase } = task
          const { from, to, run } = steps[name]
          if (!from.includes(phase)) {
            assert.throws(() => run(task, rig), new RegExp(`^Error: task ann/t is ${phase}, not `), name)
            assert.equal(task.phase, phase)
          } else {
            run(task, rig)
            // Whoever comes second to a claim changes nothing.
            assert.equal(task.phase, name === 'claim' && phase === 'ended' ? phase : (to ?? phase), name)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('has one winner of its end', async () => {
    const { task } = await tentativeTask()
    task.accept()
    assert.deepEqual([task.claim(false), task.claim(true), task.phase], [true, false, 'ending'])
  })

  it('tells by its transitions what has to be durable', async () => {
    const { task } = await tentativeTask()
    assert.deepEqual(
      task.acceptance(false).map(({ kind }) => kind),
      ['accepted', 'session_put'],
    )
    task.accept()
    assert.deepEqual(
      task.dispatch('r0', 1, () => undefined).map(({ kind }) => kind),
      ['session_spent'],
    )
    const { attempt, replica_id, replayable } = task.attempt(r0, 'afresh', 2.5) as {
      attempt: number
      replica_id: string
      replayable: boolean
    }
    assert.deepEqual([attempt, replica_id, replayable, task.attempts], [1, 'r0', false, 1])
    assert.deepEqual([task.claim(true), task.withdraw(3).map(({ kind }) => kind)], [true, ['session_spent', 'runs', 'attempt_withdrawn']])
  })
})
