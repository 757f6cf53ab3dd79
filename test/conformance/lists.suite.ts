import assert from 'node:assert/strict'
import type { Fact } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { accepted, finished, sampleOutcome, sampleTask } from './storage.samples.ts'

/** How every backend lists tasks. @param open a new, empty storage */
export function listsConformance(name: string, open: () => Promise<Storage>): void {
  describe(`lists of tasks: ${name}`, () => {
    let storage: Storage
    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    const ids = async (filter: Partial<Parameters<Storage['journal']['list']>[0]>): Promise<string[]> =>
      (await storage.journal.list({ limit: 100, ...filter })).tasks.map(({ task }) => task.task_id)

    it('lists newest first, by owner, session, end and page', async () => {
      for (const id of ['t1', 't2', 't3', 't4']) await storage.journal.commit([accepted('ann', id, id < 't3' ? 's1' : 's2')])
      await storage.journal.commit([accepted('bob', 't5'), finished('ann', 't1'), finished('ann', 't3', sampleOutcome('failed'))])
      assert.deepEqual(await ids({}), ['t5', 't4', 't3', 't2', 't1'])
      assert.deepEqual(await ids({ owner: 'ann' }), ['t4', 't3', 't2', 't1'])
      assert.deepEqual(await ids({ owner: 'ann', limit: 2 }), ['t4', 't3'])
      assert.deepEqual(await ids({ session_id: 's1' }), ['t5', 't2', 't1'])
      assert.deepEqual(await ids({ session_id: 's1', ended: 'completed' }), ['t1'])
      assert.deepEqual(await ids({ owner: 'ann', ended: 'failed' }), ['t3'])
      assert.deepEqual(await ids({ ended: 'canceled' }), [])
      assert.deepEqual(
        await ids({ ended: 'unfinished' }),
        (await ids({})).filter((id) => !['t1', 't3'].includes(id)),
      )
      const { tasks: page } = await storage.journal.list({ owner: 'ann', limit: 2 })
      assert.deepEqual(await ids({ owner: 'ann', before_seq: page[1]?.seq ?? 0 }), ['t2', 't1'])
    })

    it('lists by error, pool, beginning of the id and time, together as well as alone', async () => {
      const at = (task_id: string, accepted_at: number, pool_id = 'pool', owner = 'ann'): Fact => ({
        kind: 'accepted',
        task: { ...sampleTask(owner, task_id), accepted_at, pool_id },
      })
      await storage.journal.commit([at('a-1', 100), at('a-2', 200, 'other'), at('b-1', 300), at('a-10', 300, 'pool', 'bob')])
      // The clock is set back: what comes now counts as accepted no earlier.
      await storage.journal.commit([at('b-2', 50, 'other')])
      await storage.journal.commit([finished('ann', 'a-1', sampleOutcome('failed')), finished('ann', 'b-1', sampleOutcome('failed'))])
      assert.deepEqual(await ids({ code: 'INTERNAL' }), ['b-1', 'a-1'])
      assert.deepEqual(await ids({ code: 'CANCELED' }), [])
      assert.deepEqual(await ids({ code: 'INTERNAL', ended: 'completed' }), [])
      assert.deepEqual(await ids({ code: 'INTERNAL', owner: 'bob' }), [])
      assert.deepEqual(await ids({ pool_id: 'other' }), ['b-2', 'a-2'])
      assert.deepEqual(await ids({ pool_id: 'pool', owner: 'ann' }), ['b-1', 'a-1'])
      assert.deepEqual(await ids({ pool_id: 'pool', ended: 'unfinished' }), ['a-10'])
      assert.deepEqual(await ids({ task_id_prefix: 'a-' }), ['a-10', 'a-2', 'a-1'])
      assert.deepEqual(await ids({ task_id_prefix: 'a-1', owner: 'ann' }), ['a-1'])
      assert.deepEqual(await ids({ task_id_prefix: 'a-', ended: 'failed', code: 'INTERNAL', pool_id: 'pool' }), ['a-1'])
      assert.deepEqual(await ids({ from: 200 }), ['b-2', 'a-10', 'b-1', 'a-2'])
      assert.deepEqual(await ids({ from: 101, to: 300 }), ['a-2'])
      assert.deepEqual(await ids({ to: 300, pool_id: 'other' }), ['a-2'])
      assert.deepEqual(await ids({ from: 301 }), [])
      assert.deepEqual(await ids({ to: 200, before_seq: Number.MAX_SAFE_INTEGER }), ['a-1'])
      const among = [{ owner: 'ann', task_id: 'a-2' }]
      assert.deepEqual([await ids({ among, from: 200 }), await ids({ among, to: 200 })], [['a-2'], []])
      const page = await storage.journal.list({ pool_id: 'pool', limit: 1 })
      assert.deepEqual(await ids({ pool_id: 'pool', before_seq: page.tasks[0]?.seq ?? 0 }), ['b-1', 'a-1'])
    })

    it('knows the pool a task has been moved to, until it has ended', async () => {
      await storage.journal.commit([accepted('ann', 't1'), accepted('ann', 't2')])
      const key = { owner: 'ann', task_id: 't1' }
      await storage.journal.commit([{ kind: 'moved', key, pool_id: 'other' }])
      assert.deepEqual([await ids({ pool_id: 'other' }), await ids({ pool_id: 'pool' })], [['t1'], ['t2']])
      const [first] = await unfinishedOf(storage.journal)
      assert.equal(first?.head.pool_id, 'other')
      await storage.journal.commit([finished('ann', 't1'), { kind: 'moved', key, pool_id: 'third' }])
      const found = await storage.journal.look('ann', 't1')
      assert.deepEqual([found?.pool_id, found?.task.pool_id], ['other', 'pool'])
      assert.deepEqual(await ids({ pool_id: 'other', ended: 'completed' }), ['t1'])
    })
  })
}
