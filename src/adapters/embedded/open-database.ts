import { chmodSync, existsSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { errcodeOf } from './protocol.ts'
import type { WorkerInput } from './protocol.ts'
import { StorageRefusedError } from './refusal.ts'
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './schema.ts'
import { STATEMENTS } from './statements.ts'

const BUSY = 5
const IO_ERROR = 10
const CORRUPT = 11
const NOT_A_DATABASE = 26
/** What a statement gets whose table or column is missing. */
const SQL_ERROR = 1
/** Largest file of an earlier version that is rebuilt so that it can shrink, pages: it is done in memory. A larger one uses again what is freed. */
const most_rebuilt_pages = 16_384
/** What `auto_vacuum` says where freed pages are given back in steps. */
const incremental = 2
const options = { returnArrays: true, timeout: 0 }

/**
 * Opens the file (or `:memory:`) for this thread alone and brings its schema up to date. The file must exist; it may be empty.
 * @throws StorageRefusedError in use, damaged, written by a newer version or by something else, out of reach
 */
export function openDatabase({ file, max_pages }: WorkerInput): DatabaseSync {
  const memory = file === ':memory:'
  try {
    // A connection that may write folds a left-over WAL into the file when it closes,
    // so what may have to be refused is first looked at through one that cannot.
    if (!memory && statSync(file).size > 0 && !existsSync(`${file}-journal`)) lookAt(file)
    const db = new DatabaseSync(file, options)
    try {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384')
      const version = check(db, file)
      // Before anything is written: what is freed can only then be given back to the disk. To say it again would write, which a full disk refuses.
      if (integer(db, 'PRAGMA auto_vacuum') !== incremental) db.exec('PRAGMA auto_vacuum = INCREMENTAL')
      if (!memory) {
        chmodSync(file, 0o600)
        // Left by looking at a file with a WAL; the lock is ours, so nobody uses it.
        rmSync(`${file}-shm`, { force: true })
        db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864')
      }
      migrate(db, version)
      if (integer(db, 'PRAGMA auto_vacuum') === 0 && integer(db, 'PRAGMA page_count') <= most_rebuilt_pages) db.exec('VACUUM')
      if (max_pages !== undefined) db.exec(`PRAGMA max_page_count = ${max_pages}`)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw explain(error, file)
  }
}

function lookAt(file: string): void {
  const url = pathToFileURL(file)
  // Without a WAL the file alone is the truth, and `immutable` reads it without leaving side files.
  // With one, it may belong to a running daemon: take part in the locking.
  if (!existsSync(`${file}-wal`)) url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { ...options, readOnly: true })
  try {
    check(db, file)
  } catch (error) {
    // A full disk has no room for the side file this needs beside a WAL. The exclusive connection needs none and checks again.
    if (plainCode(error) !== IO_ERROR) throw error
  } finally {
    db.close()
  }
}

/** Returns the file's schema version; 0 for an empty one. Costs a few pages however large the file is. */
function check(db: DatabaseSync, file: string): number {
  const version = integer(db, 'PRAGMA user_version')
  const tables = integer(db, 'SELECT count(*) FROM sqlite_schema')
  if (version > SCHEMA_VERSION)
    throw new StorageRefusedError(
      `${file} was written by a newer version (schema ${version}, this one knows ${SCHEMA_VERSION}) and is left untouched: ` +
        'run that version, or choose another data_dir',
    )
  if (version === 0 && tables === 0) return 0
  if (integer(db, 'PRAGMA application_id') !== APPLICATION_ID)
    throw new StorageRefusedError(
      `${file} is another program's database and is left untouched: choose another data_dir, or move the file away`,
    )
  if (version === SCHEMA_VERSION) for (const sql of STATEMENTS) db.prepare(sql)
  // The first row of each table leads through its root page, where damage to the schema shows.
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as unknown as [string][]
  for (const [name] of names) db.prepare(`SELECT * FROM "${name}" LIMIT 1`).get()
  return version
}

function integer(db: DatabaseSync, sql: string): number {
  const [value] = db.prepare(sql).get() as unknown as [number]
  return value
}

/** SQLite's result code without its extension, which is in the upper bytes. */
function plainCode(error: unknown): number | undefined {
  const errcode = errcodeOf(error)
  return errcode === undefined ? undefined : errcode & 0xff
}

function explain(error: unknown, file: string): StorageRefusedError {
  if (error instanceof StorageRefusedError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const code = plainCode(error)
  if (code === BUSY)
    return new StorageRefusedError(`${file} is in use by another daemon: stop that one, or choose another data_dir`, { cause: error })
  if (code === CORRUPT || code === NOT_A_DATABASE || code === SQL_ERROR)
    return new StorageRefusedError(
      `${file} is damaged or not a database (${reason}) and is left untouched: restore a copy, or move the file away to start empty`,
      { cause: error },
    )
  return new StorageRefusedError(`${file} cannot be opened (${reason}): check the disk and the permissions of data_dir`, { cause: error })
}
