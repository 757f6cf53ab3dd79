import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStorage, StorageRefusedError } from '../../src/adapters/embedded/storage.ts'
import { accepted } from './storage.samples.ts'

describe('embedded adapter, files it refuses', () => {
  let root = ''
  let data_dir = ''
  let file = ''
  const use = (name: string): void => {
    data_dir = join(root, name)
    file = join(data_dir, 'orchestratord.db')
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'orchestratord-refused-'))
    use('data')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Closes a storage with one task and lets SQLite change its file behind its back. */
  const prepare = async (change: (db: DatabaseSync) => void = () => undefined): Promise<void> => {
    const storage = await openStorage({ data_dir })
    await storage.journal.commit([accepted('ann', 't1')])
    await storage.close()
    const db = new DatabaseSync(file)
    change(db)
    db.close()
  }

  const refuses = async (message: RegExp): Promise<void> => {
    const bytes = (): string[][] => {
      const names = readdirSync(data_dir).filter((name) => !name.endsWith('-shm'))
      return names.map((name) => [name, readFileSync(join(data_dir, name), 'latin1')])
    }
    const before = bytes()
    const refused = (error: unknown): boolean =>
      error instanceof StorageRefusedError && message.test(error.message) && error.message.includes(file)
    await assert.rejects(openStorage({ data_dir }), refused)
    assert.deepEqual(bytes(), before)
  }

  it('refuses what is not a database', async () => {
    await prepare()
    writeFileSync(file, 'no database')
    await refuses(/damaged or not a database .* restore/)
  })

  it('refuses a truncated file', async () => {
    await prepare()
    truncateSync(file, 8192)
    await refuses(/damaged .* restore/)
  })

  it('refuses a file with a damaged schema', async () => {
    await prepare()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 100, 4096)
    writeFileSync(file, bytes)
    await refuses(/damaged .* restore/)
  })

  it('refuses a file that lacks a table', async () => {
    await prepare((db) => db.exec('DROP TABLE logs'))
    await refuses(/damaged .* restore/)
  })

  it("refuses another program's database and does not switch it to WAL", async () => {
    await prepare()
    rmSync(file)
    const db = new DatabaseSync(file)
    db.exec('CREATE TABLE notes (text)')
    db.close()
    await refuses(/another program's database/)
  })

  it('refuses a newer version', async () => {
    await prepare((db) => db.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99'))
    await refuses(/newer version \(schema 99, .* run that version/)
  })

  it('refuses a newer version that only the WAL knows of', async () => {
    await prepare()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    cpSync(data_dir, join(root, 'copy'), { recursive: true })
    db.close()
    use('copy')
    assert.ok(existsSync(`${file}-wal`))
    await refuses(/newer version/)
  })
})
