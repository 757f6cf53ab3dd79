import assert from 'node:assert/strict'
import type { Fact } from '../../src/ports/journal.ts'
import type { Storage } from '../../src/ports/storage.ts'
import { sampleSession } from './storage.samples.ts'
import { sessionsOf } from '../harness/sessions-stored.ts'

/**
 * What every backend of the storage ports must do with sessions.
 * @param open a new, empty storage
 */
export function sessionsConformance(name: string, open: () => Promise<Storage>): void {
  describe(`sessions: ${name}`, () => {
    let storage: Storage
    beforeEach(async () => {
      storage = await open()
    })
    afterEach(() => storage.close())

    it('keeps sessions as they began until they are deleted or a newer one takes their place', async () => {
      const put = (created_at: number): Fact => ({
        kind: 'session_put',
        session: { ...sampleSession('ann', 's1', created_at), created_at },
      })
      await storage.journal.commit([put(5), { kind: 'session_put', session: sampleSession('bob', 's1') }])
      await storage.journal.commit([put(6), put(4), { kind: 'session_deleted', owner: 'bob', session_id: 's1' }])
      assert.deepEqual(await sessionsOf(storage.sessions), [{ ...sampleSession('ann', 's1', 6), created_at: 6 }])
    })

    it('gives many sessions of many owners, each once', async () => {
      const some = Array.from({ length: 2500 }, (_, n) => sampleSession(n % 3 === 0 ? 'ann' : `key${n % 7}`, `s${n}`))
      await storage.journal.commit(some.map((session): Fact => ({ kind: 'session_put', session })))
      const ids = (await sessionsOf(storage.sessions)).map(({ owner, session_id }) => `${owner}/${session_id}`)
      assert.deepEqual(ids.sort(), some.map(({ owner, session_id }) => `${owner}/${session_id}`).sort())
    })

    it('adds what is spent of a session, and forgets it where the session is renewed; its turns stay', async () => {
      const session = sampleSession('ann', 's1', 1)
      const { owner, session_id, expires_at } = session
      const more = { tokens: 3, cost_nano: 2, time_ms: 0.5 }
      const spend = (created_at: number): Fact => ({ kind: 'session_spent', owner, session_id, created_at, expires_at: 99, turns: 1, more })
      await storage.journal.commit([spend(5), { kind: 'session_put', session }, spend(5), spend(4)])
      assert.deepEqual(await sessionsOf(storage.sessions), [{ ...session, turns: 3, spent: { tokens: 7, cost_nano: 11, time_ms: 1 } }])
      await storage.journal.commit([
        spend(6),
        { kind: 'session_renewed', owner, session_id, created_at: 7, expires_at, budgets: { cost: 1 } },
      ])
      await storage.journal.commit([spend(6)])
      assert.deepEqual(await sessionsOf(storage.sessions), [{ ...session, created_at: 7, turns: 5, budgets: { cost: 1 }, spent: more }])
      await storage.journal.commit([spend(8)])
      const [kept] = await sessionsOf(storage.sessions)
      assert.deepEqual([kept?.created_at, kept?.expires_at], [8, 99])
    })
  })
}
