import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import type { SessionQuery } from '../../../src/services/sessions/session-page.ts'
import { ann, bob, boss, refusalOf, startRig, type Rig } from '../../harness/rig.ts'

const cold = () => []
const list = (rig: Rig, who: Principal, query: SessionQuery = {}) => rig.sessions.list(who, query, cold)
const ids = (rig: Rig, who: Principal, query: SessionQuery = {}): string =>
  list(rig, who, query)
    .sessions.map(({ session_id, owner }) => (owner === undefined ? session_id : `${owner}/${session_id}`))
    .join(' ')

describe('a list of sessions', () => {
  it('is newest first, with what is left of each; a key sees its own, and one with the role control all', async () => {
    const rig = await startRig()
    await rig.sessions.put(ann, 'one', 60_000, { tokens: 500 })
    await rig.clock.advance(1000)
    await rig.run({ task_id: 't1', session_id: 'two' })
    await rig.run({ task_id: 't2', session_id: 'two' })
    await rig.run({ task_id: 't3', session_id: 'one' }, bob)
    assert.equal(ids(rig, ann), 'two one')
    assert.equal(ids(rig, bob), 'one')
    assert.equal(ids(rig, boss), 'bob/one ann/two ann/one')
    assert.equal(ids(rig, boss, { owner: 'ann' }), 'ann/two ann/one')
    assert.equal((await refusalOf(Promise.resolve().then(() => list(rig, bob, { owner: 'ann' })))).kind, 'forbidden')
    const [two, one] = list(rig, ann).sessions
    assert.deepEqual([two?.tasks, two?.turns, two?.tokens_budget_remaining], [2, 1, undefined])
    assert.deepEqual([one?.tasks, one?.ttl_ms_remaining, one?.tokens_budget_remaining], [0, 59_000, 500])
    assert.equal(one?.created_at, new Date(rig.clock.now() - 1000).toISOString())
    rig.engine().call.finish()
    await settled()
    assert.equal(list(rig, ann).sessions[0]?.tasks, 1)
  })

  it('comes in pages of any size, each once, though sessions come and go between them', async () => {
    const rig = await startRig()
    for (let n = 0; n < 7; n++) await rig.sessions.put(n % 2 === 0 ? ann : bob, `s${n}`, undefined, undefined)
    for (const limit of [1, 2, 3, 7]) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = list(rig, boss, { limit, cursor })
        seen.push(...page.sessions.map(({ session_id }) => session_id))
        cursor = page.next_cursor
        await rig.sessions.put(ann, 'new', undefined, undefined)
        await rig.sessions.delete(ann, 'new')
      } while (cursor !== undefined)
      assert.deepEqual(seen, ['s6', 's5', 's4', 's3', 's2', 's1', 's0'])
    }
  })

  it('has none that have expired, were deleted or are not kept', async () => {
    const rig = await startRig()
    await rig.sessions.put(ann, 'short', 10, undefined)
    await rig.sessions.put(ann, 'gone', undefined, undefined)
    await rig.sessions.put(ann, 'stays', undefined, undefined)
    await rig.sessions.delete(ann, 'gone')
    await rig.clock.advance(11)
    assert.equal(ids(rig, ann), 'stays')
    await rig.sessions.put(ann, 'short', undefined, undefined)
    assert.equal(ids(rig, ann), 'short stays', 'one that comes again is new')
  })

  it('is there again after a restart', async () => {
    const rig = await startRig()
    for (const id of ['a', 'b']) await rig.sessions.put(ann, id, undefined, undefined)
    const again = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.equal(ids(again, ann).split(' ').toSorted().join(' '), 'a b')
  })

  it('says where a session is warm', async () => {
    const two = [
      { id: 'r0', slots: 1 },
      { id: 'r1', slots: 1 },
    ]
    const rig = await startRig({
      pools: [{ id: 'pool', engine: 'mock', driver: 'in-process', model: 'mock:v1', ctx: 8192, replicas: two }],
    })
    await rig.run({ task_id: 't1', session_id: 'talk' })
    assert.equal(rig.pool().warmth.replicaOf('ann/talk'), 'r0')
    assert.equal(rig.pool().warmth.replicaOf('ann/other'), undefined)
    rig.pool().warmth.lost('r0')
    assert.equal(rig.pool().warmth.replicaOf('ann/talk'), undefined)
    const single = await startRig()
    await single.run({ task_id: 't1', session_id: 'talk' })
    assert.equal(single.pool().warmth.replicaOf('ann/talk'), 'r0', 'also where there is no choice')
  })
})
