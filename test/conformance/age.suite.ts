import assert from 'node:assert/strict'
import type { Fact } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { accepted, artifactFact, finished, sampleArtifact, sampleOutcome, sampleSession, sampleTask } from './storage.samples.ts'

/** What every backend knows of the age of what it holds. @param open a new, empty storage */
export function ageConformance(name: string, open: () => Promise<Storage>): void {
  describe(`age of what is stored: ${name}`, () => {
    let storage: Storage
    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    it('knows the newest time that is stored, whatever has it', async () => {
      assert.equal(await storage.newest(), 0)
      const later: readonly Fact[] = [
        { kind: 'session_put', session: { ...sampleSession('ann', 's1'), created_at: 1000 } },
        artifactFact(sampleArtifact('ann', 'a', {}, 2000)),
        { kind: 'accepted', task: { ...sampleTask('ann', 't1'), accepted_at: 3000 } },
        finished('ann', 't1', sampleOutcome('completed', 4000)),
        { kind: 'session_renewed', owner: 'ann', session_id: 's1', created_at: 5000, expires_at: 6000, budgets: {} },
      ]
      for (const [i, fact] of later.entries()) {
        await storage.journal.commit([fact])
        assert.equal(await storage.newest(), (i + 1) * 1000, fact.kind)
      }
    })

    it('purges what there is, and nothing that comes afterwards', async () => {
      await Promise.all([storage.journal.commit([accepted('ann', 't1')]), storage.journal.purge(500, 500)])
      const old = artifactFact(sampleArtifact('ann', 'a', {}, 100))
      await storage.journal.commit([accepted('ann', 'old'), finished('ann', 'old', sampleOutcome('completed', 100)), old])
      await storage.journal.commit([accepted('ann', 't2')])
      assert.notEqual(await storage.journal.find('ann', 'old'), undefined)
      assert.equal((await storage.artifacts.list({ limit: 9 })).length, 1)
    })
  })
}
