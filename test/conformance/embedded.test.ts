import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { STATEMENTS } from '../../src/adapters/embedded/statements.ts'
import { openStorage, StorageRefusedError } from '../../src/adapters/embedded/storage.ts'
import type { StorageOptions } from '../../src/adapters/embedded/storage.ts'
import { StorageError } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { settled } from '../harness/fake-clock.ts'
import { storageConformance } from './storage.suite.ts'
import { accepted, artifactFact, finished, sampleArtifact, sampleLog, sampleOutcome } from './storage.samples.ts'
import { unfinishedOf } from '../harness/unfinished.ts'

let root = ''
let dirs = 0
before(() => {
  root = mkdtempSync(join(tmpdir(), 'orchestratord-storage-'))
})
after(() => rmSync(root, { recursive: true }))
const newDir = (): string => join(root, `d${dirs++}`)

describe('embedded adapter', () => {
  storageConformance(':memory:', () => openStorage({ data_dir: ':memory:' }))

  let last = ''
  storageConformance(
    'file',
    () => openStorage({ data_dir: (last = newDir()) }),
    async (storage) => {
      await storage.close()
      return openStorage({ data_dir: last })
    },
  )

  it('is not lost where it is closed', async () => {
    const storage = await openStorage({ data_dir: ':memory:' })
    let lost: Error | undefined
    void storage.lost.then((reason) => (lost = reason))
    await storage.close()
    await settled()
    assert.equal(lost, undefined)
  })

  describe('file', () => {
    let data_dir = ''
    let file = ''
    let opened: Storage[] = []
    const open = async (options: Partial<StorageOptions> = {}): Promise<Storage> => {
      const storage = await openStorage({ data_dir, ...options })
      opened.push(storage)
      return storage
    }
    beforeEach(() => {
      data_dir = newDir()
      file = join(data_dir, 'orchestratord.db')
      opened = []
    })
    afterEach(() => Promise.all(opened.map((storage) => storage.close())))

    /** A file with one task that nobody has open. */
    const prepare = async (): Promise<void> => {
      const storage = await open()
      await storage.journal.commit([accepted('ann', 't1')])
      await storage.close()
    }

    it('is for its owner only, whatever the umask', async () => {
      const umask = process.umask(0)
      try {
        const storage = await open()
        await storage.journal.commit([accepted('ann', 't1')])
        const modes = [data_dir, file, `${file}-wal`].map((path) => (statSync(path).mode & 0o777).toString(8))
        assert.deepEqual(modes, ['700', '600', '600'])
      } finally {
        process.umask(umask)
      }
    })

    it('is for its owner only, also where somebody has opened it to others meanwhile', async () => {
      await prepare()
      chmodSync(file, 0o644)
      await open()
      assert.equal((statSync(file).mode & 0o777).toString(8), '600')
    })

    it('is refused to a second opener in this process and in another', async () => {
      const storage = await open()
      await storage.journal.commit([accepted('ann', 't1')])
      await assert.rejects(open(), (error) => isRefusal(error, /in use by another daemon: stop/))
      const adapter = new URL('../../src/adapters/embedded/storage.ts', import.meta.url).href
      const script = `import { openStorage } from ${JSON.stringify(adapter)}
        await openStorage({ data_dir: ${JSON.stringify(data_dir)} }).catch((error) => console.log(error.name, error.message))`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
      assert.match(stdout, /^StorageRefusedError .* in use by another daemon/)
      await storage.journal.commit([accepted('ann', 't2')])
      await storage.close()
      assert.equal((await (await open()).journal.list({ limit: 9 })).tasks.length, 2)
    })

    it('has what was confirmed even if it was never closed', async () => {
      const storage = await open()
      await storage.journal.commit([accepted('ann', 't1')])
      const copy = newDir()
      cpSync(data_dir, copy, { recursive: true })
      const other = await open({ data_dir: copy })
      assert.notEqual(await other.journal.find('ann', 't1'), undefined)
      assert.deepEqual(readdirSync(copy).sort(), ['orchestratord.db', 'orchestratord.db-wal'])
    })

    it('leaves one file behind when it is closed', async () => {
      const storage = await open()
      void storage.journal.commit([accepted('ann', 't1')])
      await storage.close()
      assert.deepEqual(readdirSync(data_dir), ['orchestratord.db'])
    })

    it('starts on an empty file, as a crash right after its creation leaves it', async () => {
      await prepare()
      truncateSync(file, 0)
      assert.deepEqual(await unfinishedOf((await open()).journal), [])
    })

    it('says what is wrong with a directory it cannot use', async () => {
      writeFileSync(data_dir, '')
      await assert.rejects(open(), (error) => isRefusal(error, /check data_dir/) && error.cause instanceof Error)
    })

    it('shares transactions among concurrent commits', async () => {
      const storage = await open()
      await storage.journal.commit([accepted('ann', 'first')])
      const before = walTransactions(`${file}-wal`)
      await Promise.all(Array.from({ length: 200 }, (_, i) => storage.journal.commit([accepted('ann', `t${i}`)])))
      assert.equal(walTransactions(`${file}-wal`) - before, 1)
    })

    it('rejects commits while it is full, writes nothing of them, and works again after a purge', async () => {
      const storage = await open({ max_pages: 71 })
      const big = 'x'.repeat(40_000)
      const fill = (id: string): Promise<void> => {
        const artifact = artifactFact(sampleArtifact('ann', `${id}${big}`))
        return storage.journal.commit([artifact, accepted('ann', id), finished('ann', id, sampleOutcome(), sampleLog(big))])
      }
      await fill('t1')
      const results = await Promise.allSettled(['t2', 't3', 't4'].map(fill))
      const reasons = results.map((result) => (result.status === 'rejected' ? causes(result.reason) : []))
      const full = ['StorageError', 'nothing was written: database or disk is full', 'database or disk is full']
      assert.deepEqual(reasons, [full, full, full])
      assert.equal((await storage.journal.list({ limit: 9 })).tasks.length, 1)
      assert.equal((await storage.artifacts.list({ limit: 9 })).length, 1)
      await storage.journal.purge(Infinity, Infinity)
      await fill('t2')
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't2' }), sampleLog(big))
    })

    it('knows after a restart how long the answers of unfinished tasks are expected to be', async () => {
      await prepare()
      const [task] = await unfinishedOf((await open()).journal)
      assert.equal(task?.head.expected_tokens, 9)
    })

    it('does not let a commit that can never be written take others with it', async () => {
      const storage = await open()
      const key = { owner: 'ann', task_id: 't1' }
      const results = await Promise.allSettled([
        storage.journal.commit([accepted('ann', 't0')]),
        storage.journal.commit([accepted('ann', 't1'), { kind: 'attempt', key, attempt: NaN, replica_id: 'r', replayable: true, at: 1 }]),
        storage.journal.commit([accepted('ann', 't0')]),
        storage.journal.commit([accepted('ann', 't2')]),
      ])
      assert.deepEqual(
        results.map((result) => (result.status === 'rejected' ? causes(result.reason)[0] : 'written')),
        ['written', 'StorageError', 'DuplicateTaskError', 'written'],
      )
      assert.equal(await storage.journal.find('ann', 't1'), undefined)
    })

    it('shows, ends and forgets tasks without touching their requests', async () => {
      const first = await open()
      await first.journal.commit([accepted('ann', 't1'), accepted('ann', 't2')])
      const listed = await first.journal.list({ limit: 9 })
      await first.close()
      const db = new DatabaseSync(file)
      db.exec('DELETE FROM requests')
      db.close()
      const storage = await open()
      const { journal } = storage
      assert.deepEqual(await journal.list({ limit: 9 }), listed)
      for (const filter of [{ owner: 'ann' }, { ended: 'unfinished' as const }, { among: [{ owner: 'ann', task_id: 't1' }] }])
        assert.notEqual((await journal.list({ ...filter, limit: 9 })).tasks.length, 0)
      assert.deepEqual((await journal.look('ann', 't2'))?.task, listed.tasks[0]?.task)
      await journal.commit([finished('ann', 't1')])
      assert.equal((await journal.look('ann', 't1'))?.outcome?.state, 'completed')
    })

    it('walks an index for every statement', async () => {
      await prepare()
      const db = new DatabaseSync(file)
      const scans = STATEMENTS.flatMap((sql) => {
        const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
        // All sessions, models, keys, pools and sums of what is stored are asked for as such, json_each walks a parameter, a page what was found and a search its steps.
        return plan
          .filter(({ detail }) => /^SCAN (?!json_each|sessions|models|keys|pools|stored|part|CONSTANT ROW|\(subquery)/.test(detail))
          .map(({ detail }) => `${detail}: ${sql}`)
      })
      db.close()
      assert.deepEqual(scans, [])
    })
  })
})

const isRefusal = (error: unknown, message: RegExp): error is StorageRefusedError =>
  error instanceof StorageRefusedError && message.test(error.message)

/** The class of a rejection and the messages of its causes. */
function causes(error: unknown): string[] {
  const found = [error instanceof StorageError ? 'StorageError' : error instanceof Error ? error.name : '']
  for (let at = error; at instanceof Error && at.cause instanceof Error; at = at.cause) found.push(at.cause.message)
  return found
}

/** Transactions in a WAL: frames whose header gives the size of the database after a commit. */
function walTransactions(path: string): number {
  const wal = readFileSync(path)
  let commits = 0
  for (let at = 32; at + 24 <= wal.length; at += 24 + 4096) if (wal.readUInt32BE(at + 4) !== 0) commits++
  return commits
}
