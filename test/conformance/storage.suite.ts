import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Storage } from '../../src/ports/storage.ts'
import { repeats } from '../harness/long.ts'
import { DuplicateTaskError, StorageError } from '../../src/ports/journal.ts'
import type { Fact } from '../../src/ports/journal.ts'
import { agree, steps } from './storage.property.ts'
import { ageConformance } from './age.suite.ts'
import { listsConformance } from './lists.suite.ts'
import { runsConformance } from './runs.suite.ts'
import { sessionsConformance } from './sessions.suite.ts'
import { storesConformance } from './stores.suite.ts'
import { accepted, artifactFact, finished, sampleArtifact, sampleLog, sampleOutcome } from './storage.samples.ts'
import { sampleModel, samplePool, sampleSession, sampleTask } from './storage.samples.ts'
import { summaryOf, type UnfinishedTask } from '../../src/domain/task.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { sessionsOf } from '../harness/sessions-stored.ts'

/**
 * What every backend of the storage ports must do.
 * @param open a new, empty storage
 * @param reopen closes the storage and opens another on the same data; left out where data does not outlive the storage
 */
export function storageConformance(name: string, open: () => Promise<Storage>, reopen?: (storage: Storage) => Promise<Storage>): void {
  storesConformance(name, open)
  listsConformance(name, open)
  runsConformance(name, open)
  sessionsConformance(name, open)
  ageConformance(name, open)
  describe(`storage: ${name}`, () => {
    let storage: Storage
    const ids = async (filter: Partial<Parameters<Storage['journal']['list']>[0]>): Promise<string[]> =>
      (await storage.journal.list({ limit: 100, ...filter })).tasks.map(({ task }) => task.task_id)

    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    it('finds an accepted task by owner and id, whole or what is shown of it', async () => {
      await storage.journal.commit([accepted('ann', 't1')])
      const found = await storage.journal.find('ann', 't1')
      assert.deepEqual(found?.task, sampleTask('ann', 't1'))
      assert.equal('outcome' in found, false)
      assert.deepEqual(await storage.journal.look('ann', 't1'), { seq: found.seq, task: summaryOf(found.task), pool_id: 'pool' })
      assert.equal(await storage.journal.look('bob', 't1'), undefined)
      assert.equal(await storage.journal.find('bob', 't1'), undefined)
    })

    it('lets two owners have tasks of the same id', async () => {
      await Promise.all([storage.journal.commit([accepted('ann', 't1')]), storage.journal.commit([accepted('bob', 't1')])])
      assert.equal((await storage.journal.find('bob', 't1'))?.task.owner, 'bob')
      assert.equal((await storage.journal.find('ann', 't1'))?.task.owner, 'ann')
    })

    it('keeps the outcome and the log of a finished task', async () => {
      await storage.journal.commit([accepted('ann', 't1')])
      assert.equal(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), undefined)
      await storage.journal.commit([finished('ann', 't1')])
      assert.deepEqual((await storage.journal.find('ann', 't1'))?.outcome, sampleOutcome())
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), sampleLog())
      assert.equal(await storage.eventLog.read({ owner: 'bob', task_id: 't1' }), undefined)
    })

    it('lets the first outcome stand and ignores one of an unknown task', async () => {
      await storage.journal.commit([accepted('ann', 't1'), finished('ann', 't1'), finished('ann', 'unknown')])
      await storage.journal.commit([finished('ann', 't1', sampleOutcome('failed', 9), sampleLog('late'))])
      assert.equal((await storage.journal.find('ann', 't1'))?.outcome?.state, 'completed')
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), sampleLog())
      assert.equal(await storage.journal.find('ann', 'unknown'), undefined)
    })

    it('gives the unfinished tasks in order of acceptance', async () => {
      for (const id of ['t3', 't1', 't2']) await storage.journal.commit([accepted('ann', id)])
      await storage.journal.commit([
        { kind: 'attempt', key: { owner: 'ann', task_id: 't2' }, attempt: 1, replica_id: 'r1', replayable: true, at: 3 },
      ])
      await storage.journal.commit([finished('ann', 't1')])
      assert.deepEqual(
        (await unfinishedOf(storage.journal)).map(({ head }) => head.task_id),
        ['t3', 't2'],
      )
    })

    it('gives many unfinished tasks page by page, without those that end in the meantime', async () => {
      const many = Array.from({ length: 1100 }, (_, i) => `t${i}`)
      const promptOf = (i: number): string | undefined => (i % 400 === 7 ? 'ü\n'.repeat(50_000) : undefined)
      await Promise.all(many.map((id, i) => storage.journal.commit([accepted('ann', id, 's1', promptOf(i))])))
      await storage.journal.commit([
        { kind: 'attempt', key: { owner: 'ann', task_id: 't1099' }, attempt: 1, replica_id: 'r1', replayable: true, at: 3 },
        finished('ann', 't500'),
      ])
      const seen: UnfinishedTask[] = []
      for await (const page of storage.journal.unfinished()) {
        if (seen.length === 0) await storage.journal.commit([finished('ann', 't0'), finished('ann', 't1098')])
        seen.push(...page)
      }
      assert.deepEqual(
        seen.map(({ head }) => head.task_id),
        many.filter((id) => id !== 't500' && id !== 't1098'),
      )
      for (const { head } of seen)
        assert.deepEqual(head.source.task, sampleTask('ann', head.task_id, 's1', promptOf(many.indexOf(head.task_id))))
      assert.deepEqual(
        seen.map(({ attempts }) => attempts).filter((attempts) => attempts !== undefined),
        [{ failed: 1, replayable: true }],
      )
    })

    it('refuses a duplicate with all that came with it, and nothing else', async () => {
      await storage.journal.commit([accepted('ann', 't1')])
      const put: Fact = { kind: 'session_put', session: sampleSession('ann', 's9') }
      const results = await Promise.allSettled([
        storage.journal.commit([accepted('ann', 't2')]),
        storage.journal.commit([put, accepted('ann', 't1', 's2'), finished('ann', 't1')]),
        storage.journal.commit([accepted('ann', 't3'), accepted('ann', 't2')]),
        storage.journal.commit([accepted('ann', 't4'), accepted('ann', 't4')]),
        storage.journal.commit([accepted('ann', 't5'), accepted('ann', 't6')]),
      ])
      const refused = results.flatMap((result, index) =>
        result.status === 'rejected' ? [[index, result.reason instanceof DuplicateTaskError]] : [],
      )
      const all = [1, 2, 3].map((index) => [index, true])
      assert.deepEqual(refused, all)
      assert.deepEqual(await ids({}), ['t6', 't5', 't2', 't1'])
      assert.deepEqual(await sessionsOf(storage.sessions), [])
      assert.equal((await storage.journal.find('ann', 't1'))?.outcome, undefined)
    })

    it('shows a read every commit that was made before it', async () => {
      const commits: Promise<void>[] = []
      for (let i = 0; i < 50; i++) {
        commits.push(storage.journal.commit([accepted('ann', `t${i}`)]))
        const read = storage.journal.find('ann', `t${i}`)
        if (i % 7 === 0) assert.notEqual(await read, undefined)
        else commits.push(read.then((found) => assert.notEqual(found, undefined)))
      }
      await Promise.all(commits)
    })

    it('purges what is older than asked, with its log, and reuses no seq', async () => {
      const many = Array.from({ length: 300 }, (_, i) => `t${i}`)
      const facts = (id: string, i: number): Fact[] => [accepted('ann', id), finished('ann', id, sampleOutcome('completed', i))]
      await Promise.all(many.map((id, i) => storage.journal.commit(facts(id, i))))
      const [old, recent] = [sampleArtifact('ann', 'old', { tags: ['x'] }, 10), sampleArtifact('ann', 'new', { tags: ['x'] }, 20)]
      await storage.journal.commit([accepted('ann', 'open'), artifactFact(old), artifactFact(recent)])
      const last = (await storage.journal.find('ann', 't299'))?.seq ?? 0
      await storage.journal.purge(299, 20)
      assert.deepEqual(await ids({ limit: 1000 }), ['open', 't299'])
      assert.equal(await storage.eventLog.read({ owner: 'ann', task_id: 't298' }), undefined)
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't299' }), sampleLog())
      assert.equal((await storage.artifacts.list({ tag: 'x', limit: 10 })).length, 1)
      await storage.journal.purge(Infinity, Infinity)
      await storage.journal.commit([accepted('ann', 't0')])
      assert.ok(((await storage.journal.find('ann', 't0'))?.seq ?? 0) > last)
    })

    it('refuses everything once it is closed, and closing again is fine', async () => {
      const queued = storage.journal.commit([accepted('ann', 't1')])
      const read = storage.journal.find('ann', 't1')
      await Promise.all([storage.close(), storage.close()])
      await queued
      assert.notEqual(await read, undefined)
      await assert.rejects(storage.journal.commit([accepted('ann', 't2')]), StorageError)
      await assert.rejects(storage.journal.find('ann', 't1'), StorageError)
      await assert.rejects(sessionsOf(storage.sessions), StorageError)
      await assert.rejects(unfinishedOf(storage.journal), StorageError)
      await assert.rejects(storage.journal.purge(0, 0), StorageError)
    })

    it('does what a naive model does', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (plan) => {
          await storage.close()
          storage = await open()
          await agree(storage, plan)
        }),
        { numRuns: repeats({ quick: 8, long: 40 }) },
      )
    })

    if (reopen === undefined) return
    it('has everything after it was closed and opened again', async () => {
      const artifact = sampleArtifact('ann', 'text', { tags: ['x'] })
      void storage.journal.commit([accepted('ann', 't1'), accepted('ann', 't2'), finished('ann', 't1')])
      void storage.journal.commit([artifactFact(artifact), { kind: 'session_put', session: sampleSession('ann', 's1', 2) }])
      void storage.journal.commit([
        { kind: 'model_put', model: sampleModel('m1') },
        { kind: 'pool_put', pool: samplePool('p1', 9) },
      ])
      void storage.journal.commit([{ kind: 'key_spent', owner: 'ann', more: { tokens: 1, cost_nano: 2, time_ms: 3 } }])
      storage = await reopen(storage)
      assert.deepEqual(await storage.pools.all(), [samplePool('p1', 9)])
      assert.deepEqual([...(await storage.sessions.spentByKeys())], [['ann', { tokens: 1, cost_nano: 2, time_ms: 3 }]])
      assert.deepEqual(await storage.catalog.all(), [sampleModel('m1')])
      assert.deepEqual((await storage.journal.find('ann', 't1'))?.outcome, sampleOutcome())
      assert.deepEqual(
        (await unfinishedOf(storage.journal)).map(({ head }) => head.source.task),
        [sampleTask('ann', 't2')],
      )
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), sampleLog())
      assert.deepEqual(await storage.artifacts.get('ann', artifact.id), artifact)
      assert.deepEqual(await sessionsOf(storage.sessions), [sampleSession('ann', 's1', 2)])
      await assert.rejects(storage.journal.commit([accepted('ann', 't2')]), DuplicateTaskError)
    })
  })
}
