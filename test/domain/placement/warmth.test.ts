import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Recent } from '../../../src/domain/placement/recent.ts'
import { cacheBlocks, Warmth } from '../../../src/domain/placement/warmth.ts'

/** A prompt as its blocks: the path to a node of a tree, so that what begins alike has equal blocks. */
const prompt = fc
  .array(fc.nat(2), { maxLength: 8 })
  .map((path) => Int32Array.from(path.map((_, depth) => nodeOf(path.slice(0, depth + 1)))))
const nodeOf = (path: readonly number[]): number => path.reduce((node, step) => node * 4 + step + 1, 0)

describe('what is recent', () => {
  it('is kept: the newest half of the capacity at least, all of it at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat(30)), (capacity, keys) => {
        const recent = new Recent<number, number>(capacity)
        keys.forEach((key, at) => recent.set(key, at))
        const newest = [...new Set(keys.toReversed())]
        const half = Math.floor(capacity / 2)
        for (const key of newest.slice(0, half)) assert.equal(recent.get(key), keys.lastIndexOf(key))
        assert.ok(recent.size <= capacity)
        assert.ok(newest.filter((key) => recent.get(key) !== undefined).length <= capacity)
      }),
    )
  })
})

describe('warmth', () => {
  it('is infinite where the session ran last, else what a replica shares with the prompts that it ran', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(3), prompt)), prompt, (runs, asked) => {
        const warmth = new Warmth()
        const seen = new Map<number, Set<number>>()
        const last = new Map<number, number>()
        for (const [replica, session, blocks] of runs) {
          warmth.ran(`r${replica}`, `s${session}`, blocks, 100_000)
          seen.set(replica, new Set([...(seen.get(replica) ?? []), ...blocks]))
          last.set(session, replica)
        }
        for (const replica of [0, 1, 2]) {
          const shared = asked.findIndex((block) => seen.get(replica)?.has(block) !== true)
          assert.equal(warmth.of(`r${replica}`, 'new', asked), shared < 0 ? asked.length : shared)
          for (const session of [0, 1, 2, 3])
            assert.equal(warmth.of(`r${replica}`, `s${session}`, asked) === Infinity, last.get(session) === replica)
        }
      }),
    )
  })

  it('is bounded, and forgets the end of a prompt before its beginning', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.array(prompt, { minLength: 1 }), (capacity, prompts) => {
        const warmth = new Warmth()
        for (const blocks of prompts) warmth.ran('r', 's', blocks, capacity)
        const known = prompts.map((blocks) => warmth.of('r', 'new', blocks))
        // What a search by halves finds is what a look at each block finds.
        for (const [i, blocks] of prompts.entries())
          for (let depth = 1; depth <= blocks.length; depth++)
            assert.equal(warmth.of('r', 'new', blocks.subarray(0, depth)), Math.min(depth, known[i] ?? 0))
        const newest = prompts.at(-1)
        assert.ok((known.at(-1) ?? 0) >= Math.min(newest?.length ?? 0, Math.floor(capacity / 2)))
      }),
    )
  })

  it('is known of no more sessions than the caches have blocks, of all replicas and as long as they are there', () => {
    const warmth = new Warmth()
    const none = Int32Array.of()
    const run = (replica: string, sessions: number): void => {
      for (let n = 0; n < sessions; n++) warmth.ran(replica, `${replica}-${n}`, none, 64)
    }
    run('a', 1000)
    assert.ok(warmth.known <= 64 && warmth.known >= 32, `${warmth.known}`)
    assert.equal(warmth.replicaOf('a-999'), 'a')
    assert.equal(warmth.replicaOf('a-0'), undefined)
    run('b', 1000)
    assert.ok(warmth.known <= 128 && warmth.known >= 64, `${warmth.known}`)
    warmth.lost('a')
    run('b', 1000)
    assert.ok(warmth.known <= 64, `${warmth.known}`)
    const large = new Warmth()
    for (let n = 0; n < 40_000; n++) large.ran('r', `${n}`, none, 32_768)
    assert.ok(large.known <= 16_384, `${large.known}`)
  })

  it('is gone with the engine', () => {
    const warmth = new Warmth()
    const blocks = Int32Array.of(1, 2)
    for (const id of ['a', 'b']) warmth.ran(id, `s-${id}`, blocks, 64)
    warmth.lost('a')
    assert.deepEqual([warmth.of('a', 's-a', blocks), warmth.of('b', 's-b', blocks), warmth.of('b', 's-a', blocks)], [0, Infinity, 2])
    warmth.ran('a', 's-x', Int32Array.of(), 64)
    assert.equal(warmth.of('a', 's-a', blocks), 0, 'what the session had there is gone')
  })

  it('reckons with the cache of a replica, within bounds', () => {
    assert.deepEqual([cacheBlocks(1), cacheBlocks(64_000), cacheBlocks(10_000_000)], [64, 1000, 32_768])
  })
})
