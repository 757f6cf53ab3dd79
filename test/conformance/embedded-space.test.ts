import assert from 'node:assert/strict'
import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { temporaryDir } from '../harness/process.ts'
import { inTime } from '../harness/wait.ts'
import { accepted, artifactFact, finished, sampleArtifact, sampleOutcome } from './storage.samples.ts'

const mib = 1024 * 1024

describe('space on the disk', () => {
  let dir: ReturnType<typeof temporaryDir>
  beforeEach(() => {
    dir = temporaryDir()
    opened = []
  })
  afterEach(async () => {
    await Promise.all(opened.map((storage) => storage.close()))
    dir.remove()
  })

  let opened: Storage[] = []
  const open = async (): Promise<Storage> => {
    const storage = await openStorage({ data_dir: dir.path })
    opened.push(storage)
    return storage
  }

  const bytes = (): number =>
    ['', '-wal'].reduce((sum, end) => sum + (statSync(`${file()}${end}`, { throwIfNoEntry: false })?.size ?? 0), 0)
  const file = (): string => join(dir.path, 'orchestratord.db')

  /** Finished tasks and artifacts, 200 KiB each. */
  async function fill(storage: Storage, many: number): Promise<void> {
    for (let i = 0; i < many; i++) {
      await storage.journal.commit([accepted('ann', `t${i}`, 's', `${i} `.padEnd(100 * 1024, 'x'))])
      await storage.journal.commit([
        finished('ann', `t${i}`, sampleOutcome('completed', 1000)),
        artifactFact(sampleArtifact('ann', `${i} `.padEnd(100 * 1024, 'y'))),
      ])
    }
  }

  it('the database gives space back after a purge', async () => {
    const storage = await open()
    await fill(storage, 60)
    await storage.journal.commit([accepted('ann', 'stays')])
    assert.ok(bytes() > 11 * mib, `${bytes()} bytes`)
    await storage.journal.purge(2_000_000_000_000, 2_000_000_000_000)
    assert.ok(bytes() < 3 * mib, `${bytes()} bytes`)
    assert.equal((await storage.journal.find('ann', 'stays'))?.task.task_id, 'stays')
    await storage.close()
    const again = await open()
    assert.equal((await again.journal.list({ limit: 9 })).tasks.length, 1)
  })

  it('what is free is told in bytes', async () => {
    const { space } = await open()
    const { bavail, bsize } = statfsSync(dir.path)
    // Others write beside this; a block is hundreds of bytes at least.
    const ratio = (await space.free()) / (bavail * bsize)
    assert.ok(ratio > 0.1 && ratio < 10, `${ratio} times as much as there is`)
  })

  it('a small database of an earlier version learns to', async () => {
    const first = await open()
    await fill(first, 60)
    await first.close()
    const db = new DatabaseSync(file())
    db.exec('PRAGMA auto_vacuum = NONE; VACUUM')
    db.close()
    const storage = await open()
    assert.equal((await storage.journal.list({ limit: 99 })).tasks.length, 60)
    await storage.journal.purge(2_000_000_000_000, 2_000_000_000_000)
    assert.ok(bytes() < 3 * mib, `${bytes()} bytes`)
  })

  it('a large one of an earlier version does not, and a purge of it ends all the same', async () => {
    await (await open()).close()
    const db = new DatabaseSync(file())
    db.exec('PRAGMA auto_vacuum = NONE; VACUUM; CREATE TABLE large (bytes BLOB); INSERT INTO large VALUES (zeroblob(80000000))')
    db.exec('DROP TABLE large')
    db.close()
    const storage = await open()
    await inTime(storage.journal.purge(2_000_000_000_000, 2_000_000_000_000), 'the purge', 60_000)
    assert.ok(statSync(file()).size > 80_000_000, 'what is free is used again')
  })

  it('a little free space stays for what comes next', async () => {
    const storage = await open()
    await fill(storage, 4)
    await storage.journal.purge(2_000_000_000_000, 2_000_000_000_000)
    const left = bytes()
    await fill(storage, 2)
    await storage.close()
    assert.ok(statSync(file()).size <= left, 'the same pages are used again')
  })
})
