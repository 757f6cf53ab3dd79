import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { openStorage, StorageRefusedError } from '../../src/adapters/embedded/storage.ts'
import { TaskLog } from '../../src/domain/stream/task-log.ts'
import { headOf } from '../../src/domain/task.ts'
import type { TaskFilter } from '../../src/ports/journal.ts'
import { usageOf } from '../../src/domain/usage.ts'
import { nativeFormat } from '../../src/doors/native/frames.ts'
import { keys, mockPool, startDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { readStream } from '../harness/sse.ts'
import { unfinishedOf } from '../harness/unfinished.ts'
import { sampleArtifact, sampleLog, sampleOutcome, samplePool } from './storage.samples.ts'
import { sessionsOf } from '../harness/sessions-stored.ts'

/** A file that an earlier version wrote. */
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

/** Opens the file anew for each test. */
function copyOf(name: string): { readonly data_dir: () => string } {
  let data_dir = ''
  beforeEach(() => {
    data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-migration-'))
    copyFileSync(fixture(name), join(data_dir, 'orchestratord.db'))
  })
  afterEach(() => rmSync(data_dir, { recursive: true }))
  return { data_dir: () => data_dir }
}

// Two tasks that have not ended, one of them begun, a finished one, a session and an artifact.
describe('embedded adapter, a file of schema 1', () => {
  const { data_dir } = copyOf('schema-1.db')

  it('is brought up to date with everything in it, once', async () => {
    // The tests of that version made frames up; the daemon wrote them like this.
    const old = new DatabaseSync(join(data_dir(), 'orchestratord.db'))
    old.prepare('UPDATE logs SET tokens = ?').run('id: 5-8a93bd96\nevent: token\ndata: {"t":"token","i":0}\n\n')
    old.close()
    for (let opening = 0; opening < 2; opening++) {
      const storage = await openStorage({ data_dir: data_dir() })
      const unfinished = await unfinishedOf(storage.journal)
      assert.deepEqual(
        unfinished.map(({ head: { owner, task_id }, attempts }) => [owner, task_id, attempts]),
        [
          ['ann', 't2', { failed: 1, replayable: false }],
          ['bob', 't3', undefined],
        ],
      )
      for (const { head } of unfinished) assert.deepEqual(head, headOf(head.source.task))
      assert.deepEqual((await storage.journal.find('ann', 't1'))?.outcome, sampleOutcome())
      assert.deepEqual(await storage.eventLog.read({ owner: 'ann', task_id: 't1' }), sampleLog())
      const [session] = await sessionsOf(storage.sessions)
      assert.deepEqual([session?.turns, session?.budgets, session?.spent], [2, {}, { tokens: 0, cost_nano: 0, time_ms: 0 }])
      const artifact = sampleArtifact('ann', 'old', { tags: ['x'] })
      assert.deepEqual(await storage.artifacts.get('ann', artifact.id), artifact)
      await storage.journal.commit([{ kind: 'pool_put', pool: samplePool('p1') }])
      assert.deepEqual(await storage.pools.all(), [samplePool('p1')])
      await storage.close()
    }
  })
})

describe('embedded adapter, a file of schema 1 that cannot be brought up to date', () => {
  const { data_dir } = copyOf('schema-1.db')

  it('is as it was: no step is kept where a later one fails', async () => {
    const file = join(data_dir(), 'orchestratord.db')
    const db = new DatabaseSync(file)
    db.exec("UPDATE tasks SET accepted = 'no JSON' WHERE ended IS NULL")
    db.close()
    await assert.rejects(openStorage({ data_dir: data_dir() }), StorageRefusedError)
    const after = new DatabaseSync(file, { readOnly: true })
    const { user_version } = after.prepare('PRAGMA user_version').get() as { readonly user_version: number }
    const tables = after.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'models'").all()
    after.close()
    assert.deepEqual([user_version, tables], [1, []])
  })
})

// Of ann one that failed in p1, one that was completed in p2 and one that waits in p1; of bob one that had begun in p1. Its clock was set back.
describe('embedded adapter, a file of schema 8', () => {
  const { data_dir } = copyOf('schema-8.db')

  it('lists what is in it by everything that tasks are listed by now', async () => {
    for (let opening = 0; opening < 2; opening++) {
      const storage = await openStorage({ data_dir: data_dir() })
      const ids = async (filter: Partial<TaskFilter>): Promise<string> =>
        (await storage.journal.list({ limit: 9, ...filter })).tasks.map(({ task, pool_id }) => `${task.task_id}@${pool_id}`).join(' ')
      assert.equal(await ids({}), 't4@p1 t3@p1 t2@p2 t1@p1')
      assert.equal(await ids({ pool_id: 'p1', owner: 'ann' }), 't4@p1 t1@p1')
      assert.equal(await ids({ code: 'INTERNAL' }), 't1@p1')
      assert.equal(await ids({ from: 200, to: 300 }), 't3@p1 t2@p2')
      assert.equal(await ids({ from: 10 }), await ids({}), 'before all, though the clock was set back behind some')
      assert.equal(await ids({ ended: 'unfinished', task_id_prefix: 't' }), 't4@p1 t3@p1')
      const unfinished = await unfinishedOf(storage.journal)
      assert.deepEqual(
        unfinished.map(({ head: { task_id, pool_id }, attempts }) => [task_id, pool_id, attempts]),
        [
          ['t3', 'p1', { failed: 1, replayable: true }],
          ['t4', 'p1', undefined],
        ],
      )
      await storage.close()
    }
  })
})

/** What the version that wrote the file served of its finished tasks after a restart, byte for byte. */
interface Served {
  readonly written_at: string
  readonly tasks: readonly { readonly owner: 'all' | 'other'; readonly task_id: string; readonly stream: string }[]
}

// Texts of the mock and of the demonstration model, one that stopped at a stop sequence, an embedding, a reranking, one that failed and one
// that was canceled; of the two that have not ended one was running when the daemon was killed, and one waited behind it.
// The files of schemas 4 and 5 are that one, opened once by the last version of each.
for (const name of ['schema-3', 'schema-4', 'schema-5'])
  describe(`embedded adapter, a file of ${name}`, () => {
    const { data_dir } = copyOf(`${name}.db`)
    const served = JSON.parse(readFileSync(fixture('schema-3.json'), 'utf8')) as Served

    it('replays every finished task byte for byte, and has those that have not ended', async () => {
      for (let opening = 0; opening < 2; opening++) {
        const storage = await openStorage({ data_dir: data_dir() })
        for (const { owner, task_id, stream } of served.tasks) {
          const stored = await storage.eventLog.read({ owner, task_id })
          assert.ok(stored, task_id)
          assert.equal(
            TaskLog.restore(stored)
              .read({ kind: 'start' }, nativeFormat)
              .take(1 << 20),
            stream,
            task_id,
          )
        }
        const unfinished = await unfinishedOf(storage.journal)
        assert.deepEqual(
          unfinished.map(({ head: { owner, task_id }, attempts }) => [owner, task_id, attempts]),
          [
            ['all', 'running', { failed: 1, replayable: true }],
            ['all', 'queued', undefined],
          ],
        )
        for (const { head } of unfinished) assert.deepEqual(head, headOf(head.source.task))
        const key = { owner: 'all', task_id: 'running' }
        await storage.journal.commit([{ kind: 'parts', key, first: opening, parts: '["a"]' }])
        assert.equal((await storage.journal.recorded(key)).length, opening + 1)
        const more = usageOf({ owner: 'all', model_ref: 'mock:v1', day: '2026-01-31', tasks: 1 })
        const part = { owner: 'all', file_id: 'f', part: opening, text: 'a' }
        await storage.journal.commit([
          { kind: 'usage', more },
          { kind: 'file_part', part },
        ])
        const [used] = await storage.usage.list({ limit: 2 })
        assert.deepEqual([used?.tasks, await storage.files.part('all', 'f', opening)], [opening + 1, 'a'])
        await storage.close()
      }
    })

    it('is served by the daemon as it was, also from the middle on, and what had not ended ends', async () => {
      const slow = mockPool({ id: 'slow', model: 'mock:slow' })
      const clock = new FakeClock(Date.parse(served.written_at))
      const daemon = await startDaemon({ data_dir: data_dir(), pools: [mockPool(), slow] }, { clock })
      try {
        for (const { owner, task_id, stream } of served.tasks) {
          assert.equal((await readStream(daemon.url, task_id, keys[owner])).raw, stream, task_id)
          const frames = stream.split(/(?<=\n\n)/)
          const middle = frames.length >> 1
          const id = /^id: (.*)$/m.exec(frames[middle] ?? '')?.[1]
          if (id === undefined || id === 'end') continue
          assert.equal((await readStream(daemon.url, task_id, keys[owner], id)).raw, frames.slice(middle + 1).join(''), task_id)
        }
        for (const task_id of ['running', 'queued']) assert.equal((await readStream(daemon.url, task_id, keys.all)).terminal?.event, 'end')
      } finally {
        await daemon.stop()
      }
    })
  })
