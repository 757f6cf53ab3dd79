import assert from 'node:assert/strict'
import { Artifacts, type ArtifactsParts } from '../../src/services/artifacts.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { MemoryStorage } from '../harness/memory-storage.ts'

describe('artifacts', () => {
  it('of one key are written a few at a time, and those of another key do not wait for them', async () => {
    const storage = new MemoryStorage()
    const commits: string[] = []
    const creation = { countRequest: () => undefined, checkRoom: () => undefined }
    const journal: ArtifactsParts['journal'] = {
      commit: (facts) => {
        for (const fact of facts) if (fact.kind === 'artifact') commits.push(fact.artifact.owner)
        return storage.journal.commit(facts)
      },
    }
    const artifacts = new Artifacts({ store: storage.artifacts, journal, creation, clock: new FakeClock() })
    const create = (name: string, content: string): Promise<unknown> =>
      artifacts.create({ name, roles: ['data'] }, { kind: 'other', content, tags: [], metadata: {} })
    storage.hold()
    const floods = Array.from({ length: 20 }, (_, n) => create('greedy', `${n}`))
    const one = create('modest', 'a')
    await settled()
    assert.deepEqual(commits, [...Array<string>(4).fill('greedy'), 'modest'])
    storage.release()
    await Promise.all([...floods, one])
    assert.equal(commits.length, 21)
  })
})
