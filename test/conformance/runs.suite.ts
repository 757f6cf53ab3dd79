import assert from 'node:assert/strict'
import type { Run } from '../../src/domain/runs.ts'
import type { Fact } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { accepted, finished } from './storage.samples.ts'

/**
 * What every backend of the storage ports must do with the runs of tasks that have not ended.
 * @param open a new, empty storage
 */
export function runsConformance(name: string, open: () => Promise<Storage>): void {
  describe(`runs: ${name}`, () => {
    let storage: Storage
    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    it('tells of the attempts of unfinished tasks, an orderly stop not counted', async () => {
      const key = { owner: 'ann', task_id: 't1' }
      const attempt = (n: number, replayable: boolean): Fact => ({ kind: 'attempt', key, attempt: n, replica_id: 'r1', replayable, at: n })
      const attempts = async (): Promise<unknown> => (await unfinishedOf(storage.journal))[0]?.attempts
      await storage.journal.commit([accepted('ann', 't1'), accepted('bob', 't1')])
      assert.equal(await attempts(), undefined)
      await storage.journal.commit([attempt(1, false)])
      assert.deepEqual(await attempts(), { failed: 1, replayable: false })
      await storage.journal.commit([{ kind: 'attempt_withdrawn', key, attempt: 1 }])
      assert.deepEqual(await attempts(), { failed: 0, replayable: false })
      await storage.journal.commit([attempt(1, true)])
      assert.deepEqual(await attempts(), { failed: 1, replayable: true }, 'the same number again counts again')
      await storage.journal.commit([attempt(2, false)])
      assert.deepEqual(await attempts(), { failed: 2, replayable: false }, 'the newest says whether the text comes again')
      await storage.journal.commit([finished('ann', 't1'), attempt(3, true)])
      assert.deepEqual(
        (await unfinishedOf(storage.journal)).map(({ head }) => head.owner),
        ['bob'],
      )
    })

    it('keeps what is told of the runs of an unfinished task, as it was last', async () => {
      const key = { owner: 'ann', task_id: 't1' }
      const run = (n: number, more: Partial<Run> = {}): Run => ({ n, pool_id: 'p', replica_id: 'r1', waited: 0, began: n, ...more })
      const attempt = (n: number, runs: readonly Run[]): Fact => {
        return { kind: 'attempt', key, attempt: n, replica_id: 'r1', replayable: true, at: n, runs }
      }
      const told = async (): Promise<unknown> => (await unfinishedOf(storage.journal))[0]?.attempts
      await storage.journal.commit([accepted('ann', 't1'), accepted('bob', 't1'), attempt(1, [run(1)])])
      assert.deepEqual(await told(), { failed: 1, replayable: true, runs: [run(1)] })
      const ended = run(1, { first: 2, ended: 3, failure: { code: 'WORKER_RESET', message: 'it broke', cause: 'sig"nal' } })
      await storage.journal.commit([{ kind: 'runs', key, attempt: 1, runs: [ended] }])
      await storage.journal.commit([{ kind: 'attempt_withdrawn', key, attempt: 1 }])
      assert.deepEqual(await told(), { failed: 0, replayable: true, runs: [ended] })
      await storage.journal.commit([attempt(1, [ended, run(2)]), { kind: 'runs', key, attempt: 7, runs: [] }])
      assert.deepEqual(await told(), { failed: 1, replayable: true, runs: [ended, run(2)] }, 'a run that is not there changes nothing')
    })

    it('keeps the parts of a task in order until it has ended, and knows which run records them', async () => {
      const key = { owner: 'ann', task_id: 't1' }
      const parts = (first: number, text: string): Fact => ({ kind: 'parts', key, first, parts: JSON.stringify([text]) })
      const attempt = { kind: 'attempt', key, attempt: 1, replica_id: 'r1', replayable: false, recorded: true, at: 1 } as const
      // The same number again: what was withdrawn may have been another kind of run.
      const { recorded: _, ...unrecorded } = attempt
      await storage.journal.commit([accepted('ann', 't1'), accepted('bob', 't1'), { ...unrecorded, replayable: true }])
      await storage.journal.commit([{ kind: 'attempt_withdrawn', key, attempt: 1 }, attempt])
      await storage.journal.commit([parts(10, 'ü'), parts(2, 'b')])
      await storage.journal.commit([parts(0, 'a'), parts(2, 'b again')])
      assert.deepEqual((await unfinishedOf(storage.journal))[0]?.attempts, { failed: 1, replayable: false, recorded: true })
      assert.deepEqual(await storage.journal.recorded(key), ['["a"]', '["b again"]', '["ü"]'])
      await storage.journal.commit([finished('ann', 't1'), parts(11, 'late')])
      assert.deepEqual(await storage.journal.recorded(key), [])
    })
  })
}
