import assert from 'node:assert/strict'
import { taskKeyOf } from '../../../src/domain/task.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import type { Session } from '../../../src/domain/accounts/session.ts'
import { StorageError, type Fact } from '../../../src/ports/journal.ts'
import { newGate, type Gate } from '../../harness/gate.ts'
import type { Reservation } from '../../../src/services/sessions/reservation.ts'
import { Sessions } from '../../../src/services/sessions/sessions.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { applyToSessions } from '../../harness/session-facts.ts'
import { unlimited } from '../../harness/unlimited.ts'
import { noSessions } from '../../harness/sessions-stored.ts'

const ann: Principal = { name: 'ann', roles: ['data'] }
const rules = { ttl_ms: 1000, max_turns: 8, budgets: { tokens: 100 } }
const need = { tokens: 10, cost_nano: 0 }

/** A journal in order, with a disk that can be stopped and broken; keeps what sessions would be found after a crash. */
class Disk {
  readonly sessions = new Map<string, Session>()
  broken: boolean | 'once' = false
  private gate: Gate | undefined
  private tail: Promise<unknown> = Promise.resolve()

  readonly commit = (facts: readonly Fact[]): Promise<void> => {
    const { gate } = this
    const done = this.tail.then(async () => {
      await gate?.promise
      if (this.broken !== false) {
        if (this.broken === 'once') this.broken = false
        throw new StorageError('the disk is full')
      }
      for (const fact of facts) applyToSessions(this.sessions, fact)
    })
    this.tail = done.catch(() => undefined)
    return done
  }

  hold(): void {
    this.gate = newGate()
  }

  async release(): Promise<void> {
    this.gate?.resolve()
    this.gate = undefined
    await settled()
  }
}

describe('sessions and a disk that takes its time', () => {
  let clock: FakeClock
  let disk: Disk
  let sessions: Sessions
  let stop: () => void
  beforeEach(async () => {
    clock = new FakeClock()
    disk = new Disk()
    sessions = new Sessions({ ...unlimited, rules, keyBudgets: new Map(), clock, journal: disk })
    stop = await sessions.start(noSessions)
  })
  afterEach(() => stop())

  /** A task is accepted and dispatched. */
  const run = async (id = 's'): Promise<Reservation> => {
    const reservation = sessions.reserve('ann', id, need)
    await disk.commit([...reservation.facts, ...reservation.begin(() => undefined)])
    return reservation
  }
  const leave = (reservation: Reservation): Promise<void> => disk.commit(reservation.settle(need))
  const stored = (id = 's'): Session | undefined => disk.sessions.get(taskKeyOf('ann', id))

  it('keeps a renewal behind which a task wrote what was before', async () => {
    const reservation = await run()
    disk.hold()
    const renewed = sessions.put(ann, 's', undefined, { tokens: 50 })
    await clock.advance(500)
    const left = leave(reservation)
    await disk.release()
    await Promise.all([renewed, left])
    assert.deepEqual(stored()?.budgets, { tokens: 50 })
    assert.equal(stored()?.expires_at, clock.now() + 500)
    // What was spent while it was written counts, here and on disk.
    assert.equal(sessions.info(ann, 's').tokens_budget_remaining, 40)
    assert.equal(stored()?.spent.tokens, 10)
  })

  it('keeps a session that PUT and a task created at once as PUT has it', async () => {
    disk.hold()
    const put = sessions.put(ann, 's', 700, { tokens: 50 })
    const run1 = run()
    await disk.release()
    await Promise.all([put, run1])
    const { tokens_budget_remaining, ttl_ms_remaining, turns } = sessions.info(ann, 's')
    assert.deepEqual({ tokens_budget_remaining, ttl_ms_remaining, turns }, { tokens_budget_remaining: 40, ttl_ms_remaining: 700, turns: 1 })
    assert.deepEqual([stored()?.budgets, stored()?.turns, stored()?.expires_at], [{ tokens: 50 }, 1, clock.now() + 700])
  })

  it('keeps the new life of a session from tasks of the old one', async () => {
    const old = await run()
    await clock.advance(1000)
    await run()
    await leave(old)
    assert.deepEqual([stored()?.turns, stored()?.spent.tokens, stored()?.expires_at], [1, 0, clock.now() + 1000])
  })

  it('keeps a session that was PUT over an expired one from tasks of the old one', async () => {
    const old = await run()
    await clock.advance(1000)
    await sessions.put(ann, 's', undefined, undefined)
    await leave(old)
    assert.deepEqual([stored()?.turns, stored()?.spent.tokens], [0, 0])
    assert.equal(sessions.info(ann, 's').turns, 0)
  })

  it('does not write a session anew while it is being deleted', async () => {
    const reservation = await run()
    disk.hold()
    const deleted = sessions.delete(ann, 's')
    const left = leave(reservation)
    await disk.release()
    await Promise.all([deleted, left])
    assert.equal(stored(), undefined)
  })

  it('begins a new life where PUT or a task comes while the old one is being deleted', async () => {
    await Promise.all([run('s'), run('r')])
    disk.hold()
    const all = [sessions.delete(ann, 's'), sessions.put(ann, 's', undefined, { tokens: 50 }), sessions.delete(ann, 'r'), run('r')]
    await disk.release()
    await Promise.all(all)
    assert.deepEqual([sessions.info(ann, 's').turns, stored('s')?.turns, stored('s')?.budgets], [0, 0, { tokens: 50 }])
    assert.deepEqual([sessions.info(ann, 'r').turns, stored('r')?.turns], [1, 1])
  })

  it('keeps a session whose deletion failed', async () => {
    const reservation = await run()
    disk.broken = true
    await assert.rejects(sessions.delete(ann, 's'), StorageError)
    disk.broken = false
    assert.equal(sessions.info(ann, 's').turns, 1)
    await leave(reservation)
    assert.equal(stored()?.spent.tokens, 10)
    assert.equal(sessions.list(ann, {}, () => []).sessions.length, 1)
    await run()
    assert.equal(sessions.info(ann, 's').turns, 2, 'a task comes into it')
  })

  it('changes nothing where PUT could not be written', async () => {
    await run()
    disk.broken = true
    await assert.rejects(sessions.put(ann, 's', 10, { tokens: 50 }), StorageError)
    assert.equal(sessions.info(ann, 's').tokens_budget_remaining, 90)
    await assert.rejects(sessions.put(ann, 'new', 10, { tokens: 50 }), StorageError)
    assert.throws(() => sessions.info(ann, 'new'), /No such session/)
  })

  it('two PUTs at once come one after the other: what was spent before is given back once, and the later life and budgets hold', async () => {
    const first = await run()
    await leave(first)
    assert.equal(sessions.info(ann, 's').tokens_budget_remaining, 90)
    disk.hold()
    const [a, b] = [sessions.put(ann, 's', 500, { tokens: 60 }), sessions.put(ann, 's', 900, { tokens: 70 })]
    await disk.release()
    assert.deepEqual(
      (await Promise.all([a, b])).map((info) => [info.tokens_budget_remaining, info.ttl_ms_remaining]),
      [
        [60, 500],
        [70, 900],
      ],
    )
    assert.equal(sessions.info(ann, 's').tokens_budget_remaining, 70)
    assert.deepEqual([stored()?.spent.tokens, stored()?.budgets, stored()?.turns], [0, { tokens: 70 }, 1])
  })

  it('two PUTs of a session that is not there yet make one, also where the first cannot be written', async () => {
    disk.hold()
    const [a, b] = [sessions.put(ann, 's', 500, { tokens: 60 }), sessions.put(ann, 's', 900, { tokens: 70 })]
    await disk.release()
    await Promise.all([a, b])
    assert.deepEqual([sessions.info(ann, 's').ttl_ms_remaining, stored()?.budgets], [900, { tokens: 70 }])
    disk.broken = 'once'
    const [broken, whole] = [sessions.put(ann, 'r', 500, { tokens: 60 }), sessions.put(ann, 'r', 900, { tokens: 70 })]
    await Promise.all([assert.rejects(broken, StorageError), whole])
    assert.deepEqual([sessions.info(ann, 'r').ttl_ms_remaining, stored('r')?.budgets], [900, { tokens: 70 }])
  })

  it("lives as long as it has to, whatever is done to the machine's clock meanwhile, and shows when it began by that clock", async () => {
    await run()
    for (const step of [-3_600_000, 7_200_000]) {
      clock.stepped_ms += step
      assert.equal(sessions.info(ann, 's').ttl_ms_remaining, 1000)
      const [shown] = sessions.list(ann, { limit: 1 }, () => []).sessions
      assert.equal(Date.parse(String(shown?.created_at)), clock.wallOf(clock.now()))
    }
    await clock.advance(999)
    assert.equal(sessions.info(ann, 's').ttl_ms_remaining, 1)
    await clock.advance(1)
    assert.throws(() => sessions.info(ann, 's'), /No such session/)
  })

  it('sweeps what has expired, again where that could not be written', async () => {
    await run()
    await clock.advance(59_000)
    disk.broken = true
    await clock.advance(1000)
    assert.notEqual(stored(), undefined)
    disk.broken = false
    await clock.advance(60_000)
    assert.equal(stored(), undefined)
  })

  it('does not sweep a session that took a new life meanwhile', async () => {
    await run()
    await clock.advance(59_999)
    disk.hold()
    await clock.advance(1)
    const again = run()
    await disk.release()
    await again
    assert.equal(sessions.info(ann, 's').turns, 1)
    assert.equal(stored()?.turns, 1)
  })
})
