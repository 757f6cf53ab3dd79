import assert from 'node:assert/strict'
import type { BatchRecord } from '../../src/domain/batches/batch.ts'
import { usageOf } from '../../src/domain/usage.ts'
import type { FileFilter } from '../../src/ports/file-store.ts'
import type { UsageFilter } from '../../src/ports/usage-store.ts'
import type { Storage } from '../../src/ports/storage.ts'
import type { TaskKey } from '../../src/domain/task.ts'
import { DuplicateTaskError, type Fact } from '../../src/ports/journal.ts'
import {
  accepted,
  acceptedAnew,
  artifactFact,
  finished,
  sampleArtifact,
  sampleBatch,
  sampleFile,
  sampleModel,
  sampleOutcome,
  samplePool,
  withoutContent,
} from './storage.samples.ts'

/**
 * What every backend of the read ports beside journal and event log must do: sessions, pools, catalog, artifacts, and what is forgotten of them.
 * @param open a new, empty storage
 */
export function storesConformance(name: string, open: () => Promise<Storage>): void {
  describe(`stores: ${name}`, () => {
    let storage: Storage
    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    it('knows what each owner has stored, through every way in and out', async () => {
      const stored = async (): Promise<[string, number][]> => [...(await storage.space.stored())].filter(([, bytes]) => bytes > 0).sort()
      const [early, late] = [sampleArtifact('ann', 'early', {}, 10), sampleArtifact('ann', 'late', {}, 20)]
      const bobs = sampleArtifact('bob', 'early', {}, 20)
      const part = (part: number, text: string): Fact => ({ kind: 'file_part', part: { owner: 'bob', file_id: 'f', part, text } })
      assert.deepEqual(await stored(), [])
      await storage.journal.commit([artifactFact(early), artifactFact(late), artifactFact(bobs), part(0, 'äöü'), part(1, 'x')])
      await storage.journal.commit([artifactFact(early)])
      assert.deepEqual(await stored(), [
        ['ann', early.size_bytes + late.size_bytes],
        ['bob', bobs.size_bytes + 7],
      ])
      await storage.journal.commit([part(0, 'länger')])
      await storage.journal.purge(0, 15)
      assert.deepEqual(await stored(), [
        ['ann', late.size_bytes],
        ['bob', bobs.size_bytes + 8],
      ])
      await storage.files.clear('bob', 'f')
      await storage.journal.commit([accepted('ann', 't1'), finished('ann', 't1')])
      await storage.journal.commit([{ kind: 'task_forgotten', key: { owner: 'ann', task_id: 't1' }, artifacts: [late.id] }])
      assert.deepEqual(await stored(), [['bob', bobs.size_bytes]])
      assert.ok((await storage.space.free()) > 0)
    })

    it('lists some of the unfinished ones by their keys', async () => {
      const ids = async (among: readonly TaskKey[], before_seq?: number): Promise<string[]> => {
        const filter = { among, limit: 9, ...(before_seq === undefined ? {} : { before_seq }) }
        return (await storage.journal.list(filter)).tasks.map(({ task }) => task.task_id)
      }
      const keys = ['t1', 't2', 't3', 't4'].map((task_id) => ({ owner: 'ann', task_id }))
      for (const { task_id } of keys) await storage.journal.commit([accepted('ann', task_id), accepted('bob', task_id)])
      await storage.journal.commit([finished('ann', 't2')])
      const among = [...keys.slice(0, 3), { owner: 'eve', task_id: 't1' }]
      assert.deepEqual(await ids(among), ['t3', 't1'])
      const [newest] = (await storage.journal.list({ among, limit: 1 })).tasks
      assert.deepEqual([newest?.task.owner, newest?.task.task_id], ['ann', 't3'])
      assert.deepEqual(await ids(among, newest?.seq), ['t1'])
      assert.deepEqual(await ids([]), [])
    })

    it('forgets a task that has ended, with its log and its artifacts, and nothing else', async () => {
      const [mine, other] = [sampleArtifact('ann', 'a', { tags: ['x'] }, 10), sampleArtifact('bob', 'a', { tags: ['x'] }, 10)]
      const ended = finished('ann', 't1', sampleOutcome('completed', 1))
      await storage.journal.commit([accepted('ann', 't1'), ended, artifactFact(mine), artifactFact(other)])
      await storage.journal.commit([accepted('bob', 't1'), accepted('ann', 'open')])
      for (const task_id of ['t1', 'open', 'unknown'])
        await storage.journal.commit([{ kind: 'task_forgotten', key: { owner: 'ann', task_id }, artifacts: [mine.id] }])
      assert.equal(await storage.journal.find('ann', 't1'), undefined)
      assert.equal(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), undefined)
      assert.equal(await storage.artifacts.get('ann', mine.id), undefined)
      assert.notEqual(await storage.artifacts.get('bob', other.id), undefined)
      assert.notEqual(await storage.journal.find('bob', 't1'), undefined)
      assert.notEqual(await storage.journal.find('ann', 'open'), undefined)
      await storage.journal.commit([accepted('ann', 't1')])
    })

    it('takes a task anew in place of one that has ended, and of nothing else, as a whole', async () => {
      const anew = acceptedAnew('ann', 't1', 's9')
      await storage.journal.commit([accepted('ann', 't1'), accepted('ann', 't2'), accepted('bob', 't1')])
      await assert.rejects(storage.journal.commit([anew]), DuplicateTaskError)
      await storage.journal.commit([finished('ann', 't1', sampleOutcome('failed')), finished('bob', 't1')])
      await assert.rejects(storage.journal.commit([anew, accepted('ann', 't2')]), DuplicateTaskError)
      assert.equal((await storage.journal.find('ann', 't1'))?.outcome?.state, 'failed')
      await storage.journal.commit([anew])
      const found = await storage.journal.find('ann', 't1')
      assert.deepEqual([found?.task.request.session_id, found?.outcome], ['s9', undefined])
      assert.equal(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), undefined)
      const order = (await storage.journal.list({ owner: 'ann', limit: 9 })).tasks.map(({ task }) => task.task_id)
      assert.deepEqual(order, ['t1', 't2'], 'its place is a new one')
      assert.equal((await storage.journal.find('bob', 't1'))?.outcome?.state, 'completed')
    })

    it('keeps the sum of what keys have spent, and what was done to pools as it was last put', async () => {
      const spent = (tokens: number) => ({ tokens, cost_nano: 2, time_ms: 0.5 })
      await storage.journal.commit([
        { kind: 'key_spent', owner: 'ann', more: spent(1) },
        { kind: 'key_spent', owner: 'bob', more: spent(2) },
      ])
      await storage.journal.commit([{ kind: 'key_spent', owner: 'ann', more: spent(3) }])
      assert.deepEqual([...(await storage.sessions.spentByKeys())].sort(), [
        ['ann', { tokens: 4, cost_nano: 4, time_ms: 1 }],
        ['bob', spent(2)],
      ])
      await storage.journal.commit([
        { kind: 'pool_put', pool: samplePool('p1', 9) },
        { kind: 'pool_put', pool: samplePool('p2') },
      ])
      await storage.journal.commit([{ kind: 'pool_put', pool: samplePool('p1') }])
      assert.deepEqual(
        (await storage.pools.all()).sort((a, b) => a.pool_id.localeCompare(b.pool_id)),
        [samplePool('p1'), samplePool('p2')],
      )
    })

    it('adds up usage by key, model and day', async () => {
      const more = (owner: string, day: string, tokens_in = 1): Fact => ({
        kind: 'usage',
        more: usageOf({ owner, model_ref: 'm', day, tasks: 1, tokens_in, cost_nano: 7 }),
      })
      await storage.journal.commit([more('ann', '2026-01-01'), more('bob', '2026-01-01'), more('ann', '2026-01-01', 5)])
      await storage.journal.commit([more('ann', '2026-01-02')])
      const rows = await storage.usage.list({ limit: 10 })
      assert.deepEqual(
        rows.map(({ owner, day, tasks, tokens_in, cost_nano, refusals }) => [owner, day, tasks, tokens_in, cost_nano, refusals]),
        [
          ['ann', '2026-01-02', 1, 1, 7, 0],
          ['bob', '2026-01-01', 1, 1, 7, 0],
          ['ann', '2026-01-01', 2, 6, 14, 0],
        ],
      )
      const days = async (filter: Omit<UsageFilter, 'limit'>): Promise<string[]> =>
        (await storage.usage.list({ ...filter, limit: 1 })).map(({ owner, day }) => `${owner} ${day}`)
      assert.deepEqual(await days({ owner: 'ann', to: '2026-01-01' }), ['ann 2026-01-01'])
      assert.deepEqual(await days({ owner: 'ann', from: '2026-01-02' }), ['ann 2026-01-02'])
      assert.deepEqual(await days({ before_seq: rows[0]?.seq ?? 0 }), ['bob 2026-01-01'])
    })

    it('keeps files apart from their contents, and shows only those that are complete', async () => {
      const put = (file_id: string, more = {}): Fact => ({ kind: 'file_put', file: sampleFile('ann', file_id, more) })
      const part = (n: number, text: string): Fact => ({ kind: 'file_part', part: { owner: 'ann', file_id: 'f1', part: n, text } })
      const parts = Array.from({ length: 100 }, (_, n) => part(n + 1, 'b'))
      await storage.journal.commit([put('f1', { state: 'incomplete' }), part(0, 'a \u{1f44b}'), ...parts])
      assert.deepEqual(await storage.files.list({ owner: 'ann', limit: 9 }), [])
      assert.deepEqual(await storage.files.incomplete(), [sampleFile('ann', 'f1', { state: 'incomplete' })])
      await storage.journal.commit([put('f1'), put('f2', { purpose: 'batch_output' }), put('f3')])
      const ids = async (filter: Partial<FileFilter>): Promise<string[]> =>
        (await storage.files.list({ owner: 'ann', limit: 9, ...filter })).map(({ file_id }) => file_id)
      assert.deepEqual(await ids({}), ['f3', 'f2', 'f1'])
      assert.deepEqual(await ids({ after: 'f3', limit: 1 }), ['f2'])
      assert.deepEqual(await ids({ purpose: 'batch' }), ['f3', 'f1'])
      assert.deepEqual(await ids({ owner: 'bob' }), [])
      assert.equal(await storage.files.part('ann', 'f1', 0), 'a \u{1f44b}')
      assert.equal(await storage.files.part('bob', 'f1', 0), undefined)
      await storage.files.clear('ann', 'f1')
      assert.equal(await storage.files.part('ann', 'f1', 100), undefined)
      await storage.journal.commit([{ kind: 'file_deleted', owner: 'ann', file_id: 'f1' }])
      assert.equal(await storage.files.part('ann', 'f1', 1), undefined)
      assert.equal(await storage.files.get('ann', 'f1'), undefined)
    })

    it('keeps batches as they were last put, and tells those that are not over', async () => {
      const put = (batch_id: string, status: BatchRecord['status']): Fact => ({
        kind: 'batch_put',
        batch: sampleBatch('ann', batch_id, status),
      })
      await storage.journal.commit([put('b1', 'validating'), put('b2', 'in_progress')])
      await storage.journal.commit([put('b1', 'completed'), put('b3', 'cancelling')])
      const left = [sampleBatch('ann', 'b2', 'in_progress'), sampleBatch('ann', 'b3', 'cancelling')]
      assert.deepEqual(await storage.batches.unfinished(), left, 'in the order in which they came')
      assert.deepEqual(await storage.batches.get('ann', 'b1'), sampleBatch('ann', 'b1', 'completed'))
      assert.deepEqual(
        (await storage.batches.list({ owner: 'ann', limit: 9 })).map(({ batch_id }) => batch_id),
        ['b3', 'b2', 'b1'],
      )
      assert.deepEqual(await storage.batches.list({ owner: 'ann', after: 'b1', limit: 9 }), [])
    })

    it('keeps catalog models as they were last put until they are deleted', async () => {
      const put = (id: string, seq: number, more = {}): Fact => ({ kind: 'model_put', model: sampleModel(id, seq, more) })
      await storage.journal.commit([put('m1', 1), put('m2', 2)])
      await storage.journal.commit([
        put('m1', 1, { state: 'Retired' }),
        { kind: 'model_deleted', id: 'm2' },
        { kind: 'model_deleted', id: 'm3' },
      ])
      assert.deepEqual(await storage.catalog.all(), [sampleModel('m1', 1, { state: 'Retired' })])
    })

    it('stores an artifact once for each owner, with its first time', async () => {
      const first = sampleArtifact('ann', 'text \0 \u{1f44b}', { tags: ['x', 'x'], metadata: { a: 'b' } }, 1000)
      await storage.journal.commit([artifactFact(first)])
      await storage.journal.commit([artifactFact(sampleArtifact('ann', 'other'))])
      await storage.journal.commit([artifactFact({ ...first, created_at: 2000 })])
      const tagged = await storage.artifacts.list({ tag: 'x', limit: 10 })
      assert.deepEqual(
        tagged.map(({ id }) => id),
        [first.id],
      )
      await storage.journal.commit([artifactFact({ ...first, owner: 'bob', created_at: 3000 })])
      assert.deepEqual(await storage.artifacts.get('ann', first.id), first)
      assert.equal((await storage.artifacts.get('bob', first.id))?.created_at, 3000)
      const [own, others] = await Promise.all(['ann', 'eve'].map((owner) => storage.artifacts.look(owner, first.id)))
      assert.deepEqual([own !== undefined, others !== undefined], [true, false])
      assert.deepEqual(own, { ...first, artifact: { ...first.artifact, content: '', metadata: {} } })
      assert.equal(await storage.artifacts.get('eve', first.id), undefined)
      const listed = await storage.artifacts.list({ owner: 'ann', limit: 10 })
      assert.equal(listed.length, 2)
      const { seq, ...oldest } = listed[1] ?? assert.fail()
      assert.deepEqual(oldest, withoutContent(first))
      assert.ok(seq < (listed[0]?.seq ?? 0))
    })

    it('lists artifacts newest first, by owner, kind, tag and page', async () => {
      const put = (owner: string, content: string, kind: 'plan' | 'diff', tags: string[]): Promise<void> =>
        storage.journal.commit([artifactFact(sampleArtifact(owner, content, { kind, tags }))])
      await put('ann', '1', 'plan', ['x'])
      await put('ann', '2', 'diff', ['x', 'y'])
      await put('bob', '3', 'diff', ['y'])
      const listed = async (filter: object): Promise<string[]> => {
        const found = await storage.artifacts.list({ limit: 10, ...filter })
        return found.map(({ owner, artifact: { kind, tags } }) => `${owner} ${kind} ${tags.join()}`)
      }
      assert.deepEqual(await listed({}), ['bob diff y', 'ann diff x,y', 'ann plan x'])
      assert.deepEqual(await listed({ tag: 'y' }), ['bob diff y', 'ann diff x,y'])
      assert.deepEqual(await listed({ owner: 'ann', tag: 'x' }), ['ann diff x,y', 'ann plan x'])
      assert.deepEqual(await listed({ kind: 'diff' }), ['bob diff y', 'ann diff x,y'])
      assert.deepEqual(await listed({ owner: 'ann', kind: 'plan', tag: 'x' }), ['ann plan x'])
      assert.deepEqual(await listed({ tag: 'z' }), [])
      const [newest] = await storage.artifacts.list({ limit: 1 })
      assert.deepEqual(await listed({ before_seq: newest?.seq ?? 0, limit: 1 }), ['ann diff x,y'])
    })
  })
}
