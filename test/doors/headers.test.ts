import assert from 'node:assert/strict'
import { effortOf } from '../../src/doors/common/effort.ts'
import { isDetached, orchdFields, sessionIdOf } from '../../src/doors/common/orchd-headers.ts'

describe('headers of ours at a door', () => {
  it('name the session, ours before those of agents, and those before the body', () => {
    const all = { 'x-claude-code-session-id': 'b', session_id: 'd', 'session-id': 'c', 'x-session-id': 'e', 'x-orchd-session': 'a' }
    assert.equal(sessionIdOf(all, 'f'), 'a')
    assert.equal(sessionIdOf({ ...all, 'x-orchd-session': undefined }, 'f'), 'b')
    assert.equal(sessionIdOf({ session_id: 'd', 'session-id': 'c', 'x-session-id': 'e' }, 'f'), 'c')
    assert.equal(sessionIdOf({ session_id: 'd', 'x-session-id': 'e' }, 'f'), 'd')
    assert.equal(sessionIdOf({ 'x-orchd-session': '', 'x-session-id': 'e' }, 'f'), 'e')
    assert.equal(sessionIdOf({ 'x-orchd-session': '' }, 'f'), 'f')
    for (const nothing of [undefined, null, '', '!']) assert.equal(sessionIdOf({}, nothing), undefined)
  })

  it('have the session in the signs and the length of an id', () => {
    assert.equal(sessionIdOf({}, 'a b/c:d_e.f-g'), 'a-b-c-d_e.f-g')
    assert.equal(sessionIdOf({}, '._/a'), 'a')
    assert.equal(sessionIdOf({}, 'x'.repeat(300)), 'x'.repeat(128))
  })

  it('say the class and the deadline of a task, at most a day', () => {
    assert.deepEqual(orchdFields({}), {})
    assert.deepEqual(orchdFields({ 'x-orchd-priority': 'batch', 'x-orchd-deadline-ms': '1500' }), { priority: 'batch', deadline_ms: 1500 })
    assert.deepEqual(orchdFields({ 'x-orchd-deadline-ms': '99999999' }), { deadline_ms: 86_400_000 })
    for (const [name, wrong] of [
      ['x-orchd-priority', 'Batch'],
      ['x-orchd-deadline-ms', '0'],
      ['x-orchd-deadline-ms', '1e3'],
      ['x-orchd-deadline-ms', '100000000'],
    ] as const)
      assert.throws(() => orchdFields({ [name]: wrong }), { kind: 'invalid_params' })
  })

  it('leave a task alone only where they say so', () => {
    assert.deepEqual([{}, { 'x-orchd-detach': 'true' }, { 'x-orchd-detach': 'false' }, { 'x-orchd-detach': '1' }].map(isDetached), [
      false,
      true,
      false,
      false,
    ])
  })
})

describe('the effort of a door', () => {
  it('is one that engines share, or the highest of them', () => {
    assert.deepEqual(
      ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'].map((effort) => effortOf(effort)),
      ['none', 'minimal', 'low', 'medium', 'high', 'high', 'high'],
    )
    assert.deepEqual([effortOf(null), effortOf(undefined)], [undefined, undefined])
  })
})
