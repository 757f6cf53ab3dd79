import assert from 'node:assert/strict'
import type { Artifact } from '../../src/domain/artifact.ts'
import { DomainError } from '../../src/domain/errors.ts'
import type { Principal } from '../../src/domain/principal.ts'
import { Artifacts, type ArtifactsParts } from '../../src/services/artifacts.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { MemoryStorage } from '../harness/memory-storage.ts'

const plenty = { countRequest: () => undefined, checkRoom: () => undefined }
const ann: Principal = { name: 'ann', roles: ['data'] }
const plan = (content: string): Artifact => ({ kind: 'plan', content, tags: [], metadata: {} })

describe('artifacts', () => {
  it('of millions of characters leave the event loop to others again and again', async () => {
    const { artifacts: store, journal } = new MemoryStorage()
    const artifacts = new Artifacts({ store, journal, creation: plenty, clock: new FakeClock() })
    let rounds = 0
    const count = (): void => {
      rounds++
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    await artifacts.create(ann, plan('x'.repeat(4_000_000)))
    clearImmediate(counting)
    assert.ok(rounds >= Math.floor(4_000_000 / 128 / 1024), `${rounds} rounds of the event loop`)
  })

  it('that there is no room for are refused before they are read', async () => {
    const { artifacts: store, journal } = new MemoryStorage()
    const full = new DomainError('rate_limited', 'full', { retry_after_ms: 1, policy_label: 'rate-limit' })
    const asked: (number | undefined)[] = []
    const checkRoom = (_: string, bytes?: number): never => {
      asked.push(bytes)
      throw full
    }
    const artifacts = new Artifacts({ store, journal, creation: { ...plenty, checkRoom }, clock: new FakeClock() })
    // It has no canonical form, which would be the first thing to show if it were read.
    await assert.rejects(artifacts.create(ann, plan('\ud800'.padEnd(20_000))), full)
    assert.deepEqual(asked, [20_000])
  })

  it('of one key are written a few at a time, and those of another key do not wait for them', async () => {
    const storage = new MemoryStorage()
    const commits: string[] = []
    const journal: ArtifactsParts['journal'] = {
      commit: (facts) => {
        for (const fact of facts) if (fact.kind === 'artifact') commits.push(fact.artifact.owner)
        return storage.journal.commit(facts)
      },
    }
    const artifacts = new Artifacts({ store: storage.artifacts, journal, creation: plenty, clock: new FakeClock() })
    const create = (name: string, content: string): Promise<unknown> => artifacts.create({ name, roles: ['data'] }, plan(content))
    storage.hold()
    const floods = Array.from({ length: 20 }, (_, n) => create('greedy', `${n}`))
    const one = create('modest', 'a')
    await settled()
    assert.deepEqual(commits, [...Array<string>(4).fill('greedy'), 'modest'])
    storage.release()
    await Promise.all([...floods, one])
    assert.equal(commits.length, 21)
  })

  it('that are large are written, and those that are asked for read, one of a key at a time', async () => {
    const storage = new MemoryStorage()
    const begun: string[] = []
    let hold = Promise.withResolvers<undefined>()
    const journal: ArtifactsParts['journal'] = {
      commit: async (facts) => {
        begun.push('write')
        await hold.promise
        return storage.journal.commit(facts)
      },
    }
    const store: ArtifactsParts['store'] = {
      ...storage.artifacts,
      get: async (owner, id) => {
        begun.push('read')
        await hold.promise
        return storage.artifacts.get(owner, id)
      },
    }
    const artifacts = new Artifacts({ store, journal, creation: plenty, clock: new FakeClock() })
    const large = (n: number): Promise<unknown> => artifacts.create(ann, plan(`${n}`.padEnd(100_000)))
    const all = Promise.all([
      large(1),
      large(2),
      ...Array.from({ length: 5 }, () => artifacts.get(ann, 'sha256:none').catch(() => undefined)),
    ])
    for (let n = 1; n <= 7; n++) {
      await settled()
      assert.equal(begun.length, n)
      const { resolve } = hold
      hold = Promise.withResolvers<undefined>()
      resolve(undefined)
    }
    await all
  })

  it('are listed for one key one page after the other, and beside those of another key', async () => {
    const storage = new MemoryStorage()
    const asked: (string | undefined)[] = []
    const gate = Promise.withResolvers<undefined>()
    const store: ArtifactsParts['store'] = {
      ...storage.artifacts,
      list: async (filter) => {
        asked.push(filter.owner)
        await gate.promise
        return storage.artifacts.list(filter)
      },
    }
    const artifacts = new Artifacts({ store, journal: storage.journal, creation: plenty, clock: new FakeClock() })
    const lists = ['ann', 'ann', 'ann', 'bob'].map((name) => artifacts.list({ name, roles: ['data'] }, {}))
    await settled()
    assert.deepEqual(asked, ['ann', 'bob'])
    gate.resolve(undefined)
    await Promise.all(lists)
    assert.deepEqual(asked, ['ann', 'bob', 'ann', 'ann'])
  })
})
