import assert from 'node:assert/strict'
import { Sessions } from '../../../src/services/sessions/sessions.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { unlimited } from '../../harness/unlimited.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { ann } from '../../harness/rig.ts'

const rules = { ttl_ms: 600_000, max_turns: 3, budgets: {} }

describe('sessions that pass with their task', () => {
  it('are kept nowhere, and their key pays all the same', async () => {
    const keyBudgets = new Map([['ann', { tokens: 10 }]])
    const [clock, storage] = [new FakeClock(), new MemoryStorage()]
    const sessions = new Sessions({ ...unlimited, rules, keyBudgets, clock, journal: storage.journal })
    const stop = await sessions.start(storage.sessions)
    const need = { tokens: 4, cost_nano: 0 }
    const line = sessions.reserve('ann', 'line', need, 'passing')
    assert.deepEqual(line.facts, [])
    assert.throws(() => sessions.info(ann, 'line'), /No such session/)
    const facts = [...line.begin(() => undefined), ...line.settle(need)]
    assert.deepEqual([...new Set(facts.map(({ kind }) => kind))], ['key_spent'])
    assert.equal(sessions.remaining('ann', 'line').tokens, 6)
    assert.throws(() => sessions.reserve('ann', 'more', { tokens: 7, cost_nano: 0 }, 'passing'), /budget of the key/)
    stop()
  })
})
