import assert from 'node:assert/strict'
import { Arbiter } from '../../../src/domain/groups/arbiter.ts'
import type { Member } from '../../../src/domain/groups/member.ts'

const member = (id: string, fields: Partial<Member> = {}): Member => ({
  ...{ id, state: 'asleep', since: 0, waiting: 0, interactive: 0, running: 0, drain_ms: 0, drain_late_ms: 0, work_ms: 0 },
  ...{ service_ms: 1000, load_ms: 5000, unload_ms: 1000, retry_at: 0, due_at: Infinity, late_at: Infinity, lost_at: Infinity },
  ...fields,
})
const hold_ms = 30_000
const rules = { loaded: 1, idle_unload_ms: 60_000, max_hold_ms: hold_ms, preload: [], pin: [] }
const busy = { state: 'loaded', running: 1, waiting: 3, interactive: 3 } as const
const waits = { waiting: 1, interactive: 1 } as const
/** It has its place yet, and nobody can be loaded. */
const going = member('going', { state: 'unloading' })

describe('the rules of the arbiter', () => {
  describe('who is loaded first', () => {
    it('is who waits for too long before whose deadline presses, and that before who waits for longer', () => {
      const batch = member('batch', { waiting: 1 })
      for (const [now, first] of [
        [hold_ms + 10_000, 'pressed'],
        [3 * hold_ms - 1, 'pressed'],
        [3 * hold_ms, 'batch'],
      ] as const) {
        const arbiter = new Arbiter(rules)
        arbiter.decide([going, batch, member('pressed')], 0)
        const pressed = member('pressed', { ...waits, due_at: now + 10_000, lost_at: now + 15_000 })
        assert.deepEqual(arbiter.decide([member('going'), batch, pressed], now).load, [first], `at ${now}`)
      }
    })

    it('is not who cannot be in time any more', () => {
      for (const [lost_at, first] of [
        [5001, 'pressed'],
        [5000, 'longer'],
      ] as const) {
        const arbiter = new Arbiter(rules)
        const longer = member('longer', waits)
        arbiter.decide([going, longer, member('pressed')], 0)
        assert.deepEqual(arbiter.decide([member('going'), longer, member('pressed', { ...waits, due_at: 2, lost_at })], 1).load, [first])
      }
    })

    it('is for whom another was sent away, as long as that one waits', () => {
      const pressed = (late_at: number) => ({ ...waits, due_at: late_at, late_at, lost_at: late_at + 10_000 })
      const sent = (): Arbiter => {
        const arbiter = new Arbiter(rules)
        arbiter.decide([member('a', busy), member('b'), member('c')], 0)
        assert.deepEqual(arbiter.decide([member('a', busy), member('b', pressed(6500)), member('c')], 1).release, ['a'])
        return arbiter
      }
      const [b, c] = [member('b', pressed(6500)), member('c', pressed(6000))]
      assert.deepEqual(sent().decide([member('a'), b, c], 2).load, ['b'], 'though the other is due before')
      const arbiter = sent()
      arbiter.decide([member('a', { state: 'leaving', running: 1 }), member('b'), c], 2)
      assert.deepEqual(arbiter.decide([member('a'), b, c], 3).load, ['c'], 'it had ceased to wait')
    })

    it('is who is preloaded only where it may be loaded, and no operator has sent it away', () => {
      const preloads = { ...rules, preload: ['d'] }
      assert.deepEqual(new Arbiter(preloads).decide([member('d', { rests: true })], 0).load, [])
      assert.deepEqual(new Arbiter(preloads).decide([member('d', { rests: true, ...waits })], 0).load, ['d'])
      const { load, look_at } = new Arbiter(preloads).decide([member('d', { retry_at: 500 })], 0)
      assert.deepEqual([load, look_at], [[], 500], 'nobody waits, and it is looked again all the same')
    })
  })

  describe('who leaves', () => {
    it('is nobody who is held for an operator', () => {
      const idle = { state: 'loaded' } as const
      const at = (now: number, held_until: number): readonly string[] => {
        const arbiter = new Arbiter(rules)
        arbiter.decide([member('a', { ...idle, running: 1 }), member('b')], 0)
        arbiter.decide([member('a', idle), member('b')], 1)
        return arbiter.decide([member('a', { ...idle, held_until }), member('b', waits)], now).release
      }
      assert.deepEqual([at(20_000, 0), at(20_000, 20_001), at(20_001, 20_001)], [['a'], [], ['a']])
    })

    it('is nobody whose next task is likely to come before a swap pays for those that wait', () => {
      const released = (tasks: Partial<Member>): readonly string[] => {
        const arbiter = new Arbiter(rules)
        const a = (running: number): Member => member('a', { state: 'loaded', running })
        // A pause of 11 s; to swap both takes 12 s.
        for (const [now, running] of [
          [0, 1],
          [1, 0],
          [11_001, 1],
          [20_000, 0],
        ] as const)
          arbiter.decide([a(running), member('b')], now)
        return arbiter.decide([a(0), member('b', tasks)], 20_000).release
      }
      assert.deepEqual(released(waits), [])
      assert.deepEqual(released({ waiting: 2, interactive: 1 }), ['a'], 'a batch task weighs an eighth')
      assert.deepEqual(released({ waiting: 8 }), [])
    })

    for (const [waiting, needed_at, when] of [
      [0, 20_000, 'in good time where nobody waits for it'],
      [3, 24_000, 'no sooner than is expected to be enough where others wait for it'],
    ] as const)
      it(`leaves for a deadline at the last moment at which one more task may begin before: ${when}`, () => {
        const arbiter = new Arbiter(rules)
        const a = member('a', { ...busy, waiting, interactive: waiting, drain_late_ms: 2000 })
        arbiter.decide([a, member('b')], 0)
        const b = member('b', { ...waits, due_at: 20_000, late_at: 24_000, lost_at: 25_000 })
        const swap_ms = 1000 + 5000
        const act_at = needed_at - swap_ms - 2000 - 1000
        const before = arbiter.decide([a, b], act_at - 1)
        assert.deepEqual([before.release, before.look_at], [[], act_at])
        assert.deepEqual(arbiter.decide([a, b], act_at).release, ['a'])
      })

    it('is of those without work the one whose next task is the farthest off', () => {
      const arbiter = new Arbiter({ ...rules, loaded: 2 })
      const loaded = (id: string, running: number): Member => member(id, { state: 'loaded', running })
      // Tasks of `often` come every second, the others every ten.
      for (let now = 0; now <= 100_500; now += 500)
        arbiter.decide([loaded('often', now % 1000 === 0 ? 1 : 0), loaded('seldom', now % 10_000 === 0 ? 1 : 0), member('b')], now)
      assert.equal(arbiter.leavesFor([loaded('often', 0), loaded('seldom', 0), member('b')], 'b'), 'seldom')
    })

    it('is nobody pinned, and nobody for a pinned pool that has its place kept', () => {
      const arbiter = new Arbiter({ ...rules, loaded: 2, pin: ['p'] })
      const up = { state: 'loaded' } as const
      assert.equal(arbiter.leavesFor([member('p', up), member('x', up), member('y')], 'y'), 'x')
      assert.equal(arbiter.leavesFor([member('p'), member('x', up), member('y')], 'p'), undefined)
      assert.equal(arbiter.leavesFor([member('p'), member('x', up), member('y')], 'y'), 'x', 'the other place is kept for the pinned one')
    })
  })
})
