import assert from 'node:assert/strict'
import { actingFor } from '../../../src/domain/principal.ts'
import { DomainError } from '../../../src/domain/errors.ts'
import { Sessions } from '../../../src/services/sessions/sessions.ts'
import type { Reservation } from '../../../src/services/sessions/reservation.ts'
import { nothingSpent } from '../../../src/domain/accounts/budget.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { MemoryStorage } from '../../harness/memory-storage.ts'
import { ann, bob, boss, refusalOf } from '../../harness/rig.ts'
import { unlimited } from '../../harness/unlimited.ts'
import { sessionsOf } from '../../harness/sessions-stored.ts'

const rules = { ttl_ms: 600_000, max_turns: 3, budgets: {} }
const free = { tokens: 0, cost_nano: 0 }

class Bench {
  readonly clock = new FakeClock()
  readonly storage = new MemoryStorage()
  sessions = new Sessions({ ...unlimited, rules, keyBudgets: new Map(), clock: this.clock, journal: this.storage.journal })
  stop = (): void => undefined

  async start(): Promise<this> {
    this.stop = await this.sessions.start(this.storage.sessions)
    return this
  }

  /** The daemon stops and starts again on the same storage. */
  async restart(): Promise<void> {
    this.stop()
    this.sessions = new Sessions({ ...unlimited, rules, keyBudgets: new Map(), clock: this.clock, journal: this.storage.journal })
    await this.start()
  }

  /** A task is accepted: reserved, durable, confirmed. */
  async accept(session_id: string, owner = 'ann'): Promise<Reservation> {
    const reservation = this.sessions.reserve(owner, session_id, free)
    await this.storage.journal.commit(reservation.facts)
    reservation.confirm()
    return reservation
  }

  async dispatch(reservation: Reservation): Promise<void> {
    await this.storage.journal.commit(reservation.begin(() => undefined))
  }

  /** What is stored, as `<session>:<turns>`. */
  async stored(): Promise<string[]> {
    return (await sessionsOf(this.storage.sessions)).map(({ session_id, turns }) => `${session_id}:${turns}`)
  }
}

const kindOf = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof DomainError ? error.kind : 'unexpected'
  }
}

describe('sessions', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await new Bench().start()
  })

  it('live for their time to live from their creation, whatever happens in them', async () => {
    const reservation = await bench.accept('s')
    assert.deepEqual(bench.sessions.info(ann, 's'), { ttl_ms_remaining: 600_000, turns: 0, kv_warmth: false })
    await bench.clock.advance(599_999)
    await bench.dispatch(reservation)
    assert.deepEqual(bench.sessions.info(ann, 's'), { ttl_ms_remaining: 1, turns: 1, kv_warmth: false })
    await bench.clock.advance(1)
    assert.equal(
      kindOf(() => bench.sessions.info(ann, 's')),
      'not_found',
    )
  })

  it('count a turn at dispatch and refuse where none is left, reserved ones included', async () => {
    const reservations = [await bench.accept('s'), await bench.accept('s'), await bench.accept('s')]
    assert.equal(
      kindOf(() => bench.sessions.reserve('ann', 's', free)),
      'budget_exhausted',
    )
    assert.equal(bench.sessions.info(ann, 's').turns, 0)
    for (const reservation of reservations.slice(0, 2)) await bench.dispatch(reservation)
    assert.equal(bench.sessions.info(ann, 's').turns, 2)
    reservations[2]?.settle(nothingSpent)
    await bench.dispatch(await bench.accept('s'))
    assert.equal(
      kindOf(() => bench.sessions.reserve('ann', 's', free)),
      'budget_exhausted',
    )
    assert.deepEqual(await bench.stored(), ['s:3'])
  })

  it('take or give back each reservation once', async () => {
    const [taken, released] = [await bench.accept('s'), await bench.accept('s')]
    taken.begin(() => undefined)
    assert.deepEqual(
      taken.begin(() => undefined),
      [],
    )
    taken.settle(nothingSpent)
    released.settle(nothingSpent)
    released.settle(nothingSpent)
    assert.deepEqual(
      released.begin(() => undefined),
      [],
    )
    assert.equal(bench.sessions.info(ann, 's').turns, 1)
    await bench.accept('s')
    await bench.accept('s')
    assert.equal(
      kindOf(() => bench.sessions.reserve('ann', 's', free)),
      'budget_exhausted',
    )
  })

  it('admit a task of before a restart whatever is left', async () => {
    for (let i = 0; i < 3; i++) await bench.dispatch(await bench.accept('s'))
    const reservation = bench.sessions.reserve('ann', 's', free, 'accepted')
    await bench.dispatch(reservation)
    assert.equal(bench.sessions.info(ann, 's').turns, 4)
  })

  it('are none of a task that was never accepted', async () => {
    const reservation = bench.sessions.reserve('ann', 's', free)
    reservation.settle(nothingSpent)
    assert.equal(
      kindOf(() => bench.sessions.info(ann, 's')),
      'not_found',
    )
    const [failed, accepted] = [bench.sessions.reserve('ann', 's', free), bench.sessions.reserve('ann', 's', free)]
    failed.settle(nothingSpent)
    await bench.storage.journal.commit(accepted.facts)
    accepted.confirm()
    accepted.settle(nothingSpent)
    assert.equal(bench.sessions.info(ann, 's').turns, 0)
    assert.deepEqual(await bench.stored(), ['s:0'], 'durable, although its first task was not')
  })

  it('belong to the key that created them; another with control reaches them by their owner', async () => {
    await bench.dispatch(await bench.accept('s'))
    await bench.accept('s', 'bob')
    assert.equal(bench.sessions.info(ann, 's').turns, 1)
    assert.equal(bench.sessions.info(bob, 's').turns, 0)
    await bench.accept('x', 'bob')
    assert.equal(
      kindOf(() => bench.sessions.info(ann, 'x')),
      'not_found',
    )
    assert.equal((await refusalOf(bench.sessions.delete(ann, 'x'))).kind, 'not_found')
    assert.equal(bench.sessions.info(actingFor(boss, 'bob'), 'x').turns, 0)
    await bench.sessions.delete(actingFor(boss, 'bob'), 'x')
    assert.equal(
      kindOf(() => bench.sessions.info(bob, 'x')),
      'not_found',
    )
  })

  it('survive a restart with their turns and their age', async () => {
    await bench.dispatch(await bench.accept('s'))
    await bench.clock.advance(1000)
    await bench.restart()
    assert.deepEqual(bench.sessions.info(ann, 's'), { ttl_ms_remaining: 599_000, turns: 1, kv_warmth: false })
  })

  it('are swept when they have expired, also those that expired while the daemon was down', async () => {
    await bench.accept('old')
    await bench.clock.advance(590_000)
    await bench.accept('young')
    await bench.clock.advance(70_000)
    assert.deepEqual(await bench.stored(), ['young:0'])
    bench.stop()
    await bench.clock.advance(600_000)
    assert.deepEqual(await bench.stored(), ['young:0'])
    await bench.restart()
    assert.deepEqual(await bench.stored(), [])
  })

  it('are swept again where that could not be made durable', async () => {
    await bench.accept('s')
    bench.storage.broken = true
    await bench.clock.advance(660_000)
    bench.storage.broken = false
    assert.deepEqual(await bench.stored(), ['s:0'])
    await bench.clock.advance(60_000)
    assert.deepEqual(await bench.stored(), [])
  })

  it('begin anew under the same id after they expired, and the old one’s tasks do not touch the new one', async () => {
    await bench.clock.advance(1000)
    const old = await bench.accept('s')
    await bench.clock.advance(600_000)
    assert.deepEqual(await bench.stored(), ['s:0'], 'expired between two sweeps')
    await bench.accept('s')
    assert.equal(bench.sessions.info(ann, 's').ttl_ms_remaining, 600_000)
    await bench.dispatch(old)
    assert.equal(bench.sessions.info(ann, 's').turns, 0)
    await bench.restart()
    assert.deepEqual([bench.sessions.info(ann, 's').turns, bench.sessions.info(ann, 's').ttl_ms_remaining], [0, 600_000])
  })

  it('are gone once deleted, also for the tasks that are still in them', async () => {
    const [queued, failing] = [await bench.accept('s'), await bench.accept('s')]
    bench.storage.hold()
    const deleted = bench.sessions.delete(ann, 's')
    await settled()
    void bench.dispatch(queued)
    bench.storage.release()
    await deleted
    await bench.dispatch(failing)
    assert.equal(
      kindOf(() => bench.sessions.info(ann, 's')),
      'not_found',
    )
    assert.deepEqual(await bench.stored(), [])
    assert.equal((await refusalOf(bench.sessions.delete(ann, 's'))).kind, 'not_found')
    await bench.accept('s')
    assert.equal(bench.sessions.info(ann, 's').turns, 0)
  })

  it('stay where the deletion cannot be made durable', async () => {
    const reservation = await bench.accept('s')
    bench.storage.broken = true
    assert.equal((await refusalOf(bench.sessions.delete(ann, 's'))).kind, 'pool_unavailable')
    bench.storage.broken = false
    await bench.dispatch(reservation)
    assert.equal(bench.sessions.info(ann, 's').turns, 1)
    assert.deepEqual(await bench.stored(), ['s:1'])
  })

  it('show whether the engine kept a warm prefix', async () => {
    const reservation = await bench.accept('s')
    assert.equal(reservation.kvWarm, false)
    reservation.reportKv(true)
    assert.equal(reservation.kvWarm, true)
    assert.equal(bench.sessions.info(ann, 's').kv_warmth, true)
  })
})
