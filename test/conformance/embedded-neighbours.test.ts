import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { StorageError } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { accepted, finished, sampleOutcome } from './storage.samples.ts'

describe('a commit that cannot be written leaves its neighbours alone', () => {
  let data_dir = ''
  let storage: Storage | undefined
  beforeEach(() => {
    data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-neighbours-'))
  })
  afterEach(async () => {
    await storage?.close()
    storage = undefined
    rmSync(data_dir, { recursive: true })
  })

  const open = async (): Promise<Storage> => (storage = await openStorage({ data_dir }))
  const told = (results: readonly PromiseSettledResult<void>[]): string[] =>
    results.map((result) => (result.status === 'fulfilled' ? 'written' : ((result.reason as StorageError).cause as Error).message))

  it('where JSON ends half way: nothing of it rides along with the next', async () => {
    const first = await open()
    const { journal } = first
    // JSON has no way to write it.
    const outcome = { ...sampleOutcome(), tokens_in: 1n as unknown as number }
    const results = await Promise.allSettled([
      journal.commit([accepted('ann', 't0')]),
      journal.commit([accepted('ann', 't1'), finished('ann', 't0'), finished('ann', 't1', outcome)]),
      journal.commit([accepted('ann', 't2')]),
    ])
    assert.deepEqual(told(results), ['written', 'the facts cannot be written as JSON', 'written'])
    assert.ok(results[1].status === 'rejected' && results[1].reason instanceof StorageError)
    assert.deepEqual(
      (await unfinishedOf(journal)).map(({ head }) => head.task_id),
      ['t0', 't2'],
    )
    // The whole commit may come again, and the file has nothing else.
    await journal.commit([accepted('ann', 't1')])
    await first.close()
    const again = await open()
    assert.deepEqual(
      (await unfinishedOf(again.journal)).map(({ head }) => head.task_id),
      ['t0', 't2', 't1'],
    )
  })

  it('where JSON ends within a fact: nothing of its beginning rides along', async () => {
    const { journal } = await open()
    const run = { n: 1n as unknown as number, pool_id: 'pool', replica_id: 'r0', waited: 0, began: 0 }
    const key = { owner: 'ann', task_id: 't0' }
    const results = await Promise.allSettled([
      journal.commit([accepted('ann', 't0')]),
      journal.commit([{ kind: 'attempt', key, attempt: 1, replica_id: 'r0', replayable: true, at: 0, runs: [run] }]),
      journal.commit([accepted('ann', 't1')]),
    ])
    assert.deepEqual(told(results), ['written', 'the facts cannot be written as JSON', 'written'])
    assert.deepEqual(
      (await unfinishedOf(journal)).map(({ head, attempts }) => [head.task_id, attempts]),
      [
        ['t0', undefined],
        ['t1', undefined],
      ],
    )
  })

  it('where a value is of no type that SQLite has', async () => {
    const { journal } = await open()
    const key = { owner: 'ann', task_id: 't1' }
    const replica_id = undefined as unknown as string
    const results = await Promise.allSettled([
      journal.commit([accepted('ann', 't0')]),
      journal.commit([accepted('ann', 't1'), { kind: 'attempt', key, attempt: 1, replica_id, replayable: true, at: 1 }]),
      journal.commit([accepted('ann', 't2')]),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(
      (await unfinishedOf(journal)).map(({ head }) => head.task_id),
      ['t0', 't2'],
    )
  })

  it('where a value is too big for SQLite', async () => {
    await (await open()).close()
    // SQLite's own limit is a billion bytes; a trigger meets it without them.
    const db = new DatabaseSync(join(data_dir, 'orchestratord.db'))
    db.exec(`CREATE TRIGGER big BEFORE INSERT ON tasks WHEN NEW.task_id = 'big' BEGIN SELECT length(zeroblob(2000000000)); END`)
    db.close()
    const { journal } = await open()
    const results = await Promise.allSettled(
      ['t0', 'big', 't1', 'big', 't2'].map((task_id, i) => journal.commit([accepted('ann', `also-${i}`), accepted('ann', task_id)])),
    )
    const refused = 'nothing was written: string or blob too big'
    assert.deepEqual(told(results), ['written', refused, 'written', refused, 'written'])
    assert.deepEqual(
      (await unfinishedOf(journal)).map(({ head }) => head.task_id),
      ['also-0', 't0', 'also-2', 't1', 'also-4', 't2'],
    )
  })
})
