import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { headOf } from '../../src/domain/task.ts'
import { sampleArtifact, sampleLog, sampleOutcome, samplePool } from './storage.samples.ts'
import { unfinishedOf } from '../harness/unfinished.ts'

/** Written by the version whose schema was 1: two tasks that have not ended, one of them begun, a finished one, a session and an artifact. */
const first = fileURLToPath(new URL('../fixtures/schema-1.db', import.meta.url))

describe('embedded adapter, a file of schema 1', () => {
  let data_dir = ''
  beforeEach(() => {
    data_dir = mkdtempSync(join(tmpdir(), 'orchestratord-migration-'))
    copyFileSync(first, join(data_dir, 'orchestratord.db'))
  })
  afterEach(() => rmSync(data_dir, { recursive: true }))

  it('is brought up to date with everything in it, once', async () => {
    for (let opening = 0; opening < 2; opening++) {
      const storage = await openStorage({ data_dir })
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
      const [session] = await storage.sessions.all()
      assert.deepEqual([session?.turns, session?.budgets, session?.spent], [2, {}, { tokens: 0, cost_nano: 0, time_ms: 0 }])
      const artifact = sampleArtifact('ann', 'old', { tags: ['x'] })
      assert.deepEqual(await storage.artifacts.get('ann', artifact.id), artifact)
      await storage.journal.commit([{ kind: 'pool_put', pool: samplePool('p1') }])
      assert.deepEqual(await storage.pools.all(), [samplePool('p1')])
      await storage.close()
    }
  })
})
