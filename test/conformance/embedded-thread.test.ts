import assert from 'node:assert/strict'
import { closeSync, cpSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { openDatabase } from '../../src/adapters/embedded/open-database.ts'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { StorageError } from '../../src/ports/journal.ts'
import { temporaryDir } from '../harness/process.ts'
import { accepted } from './storage.samples.ts'

describe('embedded adapter, its thread', () => {
  it('rejects what is on its way, what waits behind that and what comes when it is lost', async () => {
    let worker: Worker | undefined
    process.once('worker', (started) => (worker = started))
    const storage = await openStorage({ data_dir: ':memory:' })
    const { journal } = storage
    // Nothing is answered any more.
    if (worker !== undefined) worker.postMessage = () => undefined
    const waiting: Promise<unknown>[] = [journal.find('ann', 't0'), journal.commit([accepted('ann', 't1')])]
    await nextRound()
    waiting.push(journal.commit([accepted('ann', 't2')]), journal.find('ann', 't2'))
    const all = Promise.allSettled(waiting)
    await worker?.terminate()
    assert.match((await storage.lost).message, /^the storage worker has ended/)
    for (const result of await all) assert.ok(result.status === 'rejected' && result.reason instanceof StorageError)
    await assert.rejects(journal.commit([accepted('ann', 't3')]), StorageError)
    await assert.rejects(journal.find('ann', 't3'), StorageError)
  })

  it('that is lost while it opens the file is an error of the storage', async () => {
    process.once('worker', (started) => void started.terminate())
    await assert.rejects(openStorage({ data_dir: ':memory:' }), StorageError)
  })
})

describe('embedded adapter, its file', () => {
  let dir: ReturnType<typeof temporaryDir>
  let file = ''
  beforeEach(() => {
    dir = temporaryDir()
    file = join(dir.path, 'orchestratord.db')
  })
  afterEach(() => dir.remove())

  it('has on the disk what was confirmed, whatever becomes of the machine, and a log that does not grow for ever', () => {
    closeSync(openSync(file, 'w'))
    const db = openDatabase({ file, max_pages: undefined })
    const pragma = (name: string): unknown => (db.prepare(`PRAGMA ${name}`).get() as unknown as [unknown])[0]
    const full = 2
    try {
      assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('locking_mode')], ['wal', full, 'exclusive'])
      assert.ok(Number(pragma('wal_autocheckpoint')) > 0 && Number(pragma('journal_size_limit')) > 0)
      assert.equal(pragma('foreign_keys'), 1)
    } finally {
      db.close()
    }
  })

  it('goes back to where it was where it was cut off before it had a WAL', async () => {
    const first = await openStorage({ data_dir: dir.path })
    await first.journal.commit([accepted('ann', 't1')])
    await first.close()
    const copy = temporaryDir()
    const db = new DatabaseSync(file)
    try {
      db.exec('PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; CREATE TABLE large (n); BEGIN; DROP TABLE logs')
      // More than its cache holds, so that it is in the file before it is over.
      db.exec(`INSERT INTO large SELECT value FROM json_each('[${'0,'.repeat(50_000)}0]')`)
      cpSync(dir.path, copy.path, { recursive: true })
      db.exec('ROLLBACK; DROP TABLE large')
      assert.ok(existsSync(join(copy.path, 'orchestratord.db-journal')))
      const storage = await openStorage({ data_dir: copy.path })
      assert.equal((await storage.journal.find('ann', 't1'))?.task.task_id, 't1')
      await storage.close()
    } finally {
      db.close()
      copy.remove()
    }
  })
})
