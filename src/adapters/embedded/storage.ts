import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Session } from '../../domain/accounts/session.ts'
import type { UnfinishedTask } from '../../domain/task.ts'
import type { Space } from '../../ports/space.ts'
import type { Storage } from '../../ports/storage.ts'
import { StorageClient } from './client.ts'
import type { Param, Row } from './protocol.ts'
import { StorageRefusedError } from './refusal.ts'
import {
  batchRecord,
  catalogRecord,
  fileRecord,
  keySpent,
  listedArtifact,
  listedTask,
  poolRecord,
  session,
  storedArtifact,
  storedLog,
  taskRecord,
  usage,
} from './rows.ts'
import { artifactListStatement, S } from './statements.ts'
import { tasksListed } from './tasks-listed.ts'
import { unfinishedTasks } from './unfinished-page.ts'

export { StorageRefusedError }

/** Where the database is. */
export interface StorageOptions {
  /** Directory of the database file, created if missing; `:memory:` for one that lives as long as it is open. */
  readonly data_dir: string
  /** Most pages (4 KiB) the database may have; commits beyond that fail as they do on a full disk. */
  readonly max_pages?: number
}

/** Tasks of one page of unfinished ones: enough to pay for its way, few enough that both threads soon have something to do. */
const PAGE_ROWS = 500

/** Sessions a start reads at a time. */
const PAGE_SESSIONS = 1000

/** Free pages (4 KiB) that stay for what comes next. */
const SPARE_PAGES = 256

/** Rows one step of a purge deletes: few enough that nobody waits long behind it, even if their logs are large. */
const PURGE_ROWS = 64

/**
 * Opens the storage in `data_dir` for this process alone.
 * @throws StorageRefusedError the file is in use, damaged, from a newer version or out of reach, and as it was; the message says what to do
 * @throws StorageError the worker thread cannot run
 */
export async function openStorage({ data_dir, max_pages }: StorageOptions): Promise<Storage> {
  const file = data_dir === ':memory:' ? data_dir : prepareFile(data_dir)
  const client = await StorageClient.open({ file, max_pages })
  const space: Space = {
    stored: async () => new Map((await client.all(S.stored, [])).map(([owner, bytes]) => [String(owner), Number(bytes)])),
    free: async () => (data_dir === ':memory:' ? Infinity : freeIn(await statfs(data_dir))),
  }
  return { ...portsOn(client), space, lost: client.lost, close: () => client.close() }
}

/** What users without privileges may still write. */
const freeIn = ({ bavail, bsize }: { readonly bavail: number; readonly bsize: number }): number => bavail * bsize

function prepareFile(data_dir: string): string {
  const file = join(data_dir, 'orchestratord.db')
  try {
    mkdirSync(data_dir, { recursive: true, mode: 0o700 })
    // Created here and not by SQLite, which would take the umask's mode.
    // Never opened if it exists: closing it would drop the locks this process has on it.
    if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    throw new StorageRefusedError(`${file} cannot be created: check data_dir and its permissions`, { cause: error })
  }
  return file
}

function portsOn(client: StorageClient): Omit<Storage, 'close' | 'lost' | 'space'> {
  const one = async <T>(read: (row: readonly Param[]) => T, statement: number, params: readonly Param[]): Promise<T | undefined> => {
    const [row] = await client.all(statement, params)
    return row === undefined ? undefined : read(row)
  }
  const many = async <T>(read: (row: readonly Param[]) => T, statement: number, params: readonly Param[]): Promise<T[]> =>
    (await client.all(statement, params)).map((row) => read(row))
  const purge = async (statement: number, before: number): Promise<void> => {
    // Each step is a request of its own, so that commits and reads come in between.
    while ((await client.run(statement, [before, PURGE_ROWS])) === PURGE_ROWS);
  }

  return {
    newest: async () => Number((await client.all(S.newest, []))[0]?.[0]),
    journal: {
      commit: (facts) => client.commit(facts),
      find: (owner, task_id) => one(taskRecord, S.find, [task_id, owner]),
      look: (owner, task_id) => one(listedTask, S.look, [task_id, owner]),
      list: (filter) => tasksListed(client, filter),
      unfinished: () => unfinished(client),
      recorded: async ({ owner, task_id }) => (await client.all(S.recorded, [task_id, owner])).map(([parts]) => String(parts)),
      purge: async (tasks_before, artifacts_before) => {
        await purge(S.purgeTasks, tasks_before)
        await purge(S.purgeArtifacts, artifacts_before)
        await giveBack(client)
      },
    },
    eventLog: { read: ({ owner, task_id }) => one(storedLog, S.readLog, [task_id, owner]) },
    sessions: { all: () => sessions(client), spentByKeys: async () => new Map(await many(keySpent, S.keys, [])) },
    pools: { all: () => many(poolRecord, S.pools, []) },
    catalog: { all: () => many(catalogRecord, S.models, []) },
    files: {
      get: (owner, file_id) => one(fileRecord, S.fileGet, [owner, file_id]),
      list: ({ owner, purpose = null, after = null, limit }) => many(fileRecord, S.fileList, [owner, purpose, owner, after, limit]),
      incomplete: () => many(fileRecord, S.filesIncomplete, []),
      part: (owner, file_id, part) => one(([text]) => String(text), S.filePartGet, [owner, file_id, part]),
      clear: async (owner, file_id) => {
        while ((await client.run(S.filePartsClear, [owner, file_id, PURGE_ROWS])) === PURGE_ROWS);
      },
    },
    batches: {
      get: (owner, batch_id) => one(batchRecord, S.batchGet, [owner, batch_id]),
      list: ({ owner, after = null, limit }) => many(batchRecord, S.batchList, [owner, owner, after, limit]),
      unfinished: () => many(batchRecord, S.batchesUnfinished, []),
    },
    usage: {
      list: ({ owner = null, from = '', to = '9999-12-31', before_seq = Number.MAX_SAFE_INTEGER, limit }) =>
        many(usage, S.usageList, [owner, from, to, before_seq, limit]),
    },
    artifacts: {
      get: (owner, id) => one(storedArtifact, S.artifactGet, [id, owner]),
      look: (owner, id) => one(storedArtifact, S.artifactLook, [id, owner]),
      list: ({ owner, kind, tag, before_seq, limit }) =>
        many(listedArtifact, artifactListStatement(owner, kind, tag), filters([owner, kind, tag], before_seq, limit)),
    },
  }
}

/** Gives the disk what a purge has freed, step by step, so that commits and reads come in between. */
async function giveBack(client: StorageClient): Promise<void> {
  const free = async (): Promise<number> => Number((await client.all(S.freePages, []))[0]?.[0])
  let before = Infinity
  let now = await free()
  if (now <= SPARE_PAGES) return
  // A file that cannot shrink has as many free pages after a step as before it.
  for (; now > SPARE_PAGES && now < before; now = await free()) {
    before = now
    await client.all(S.giveBack, [])
  }
  await client.all(S.fold, [])
}

/** Reads page after page, each while the one before is worked on. */
async function* pages<Page>(first: Promise<Page | undefined>, after: (page: Page) => Promise<Page | undefined>): AsyncGenerator<Page> {
  let page = await first
  while (page !== undefined) {
    const next = after(page)
    // Nobody may come for it.
    next.catch(() => undefined)
    // What is asked for leaves at the end of this round of the event loop.
    await nextRound()
    yield page
    page = await next
  }
}

async function* unfinished(client: StorageClient): AsyncGenerator<readonly UnfinishedTask[]> {
  const page = async (after: number): Promise<Row | undefined> =>
    (await client.all(S.unfinished, [after, PAGE_ROWS])).find(([last]) => last !== null)
  const accepted = async (seq: number): Promise<string | undefined> =>
    (await client.all(S.acceptedText, [seq])).map(([text]) => String(text))[0]
  for await (const row of pages(page(0), ([last]) => page(Number(last)))) yield await unfinishedTasks(row, accepted)
}

async function* sessions(client: StorageClient): AsyncGenerator<readonly Session[]> {
  const page = async (after: Row | undefined): Promise<readonly Row[] | undefined> => {
    const rows = await client.all(S.sessions, [after?.[0] ?? '', after?.[1] ?? '', PAGE_SESSIONS])
    return rows.length === 0 ? undefined : rows
  }
  for await (const rows of pages(page(undefined), (before) => page(before.at(-1)))) yield rows.map(session)
}

/** The parameters of a list: the filters that are given, in order, then the page. */
function filters(given: readonly (string | undefined)[], before_seq = Number.MAX_SAFE_INTEGER, limit: number): Param[] {
  return [...given.filter((value) => value !== undefined), before_seq, limit]
}
