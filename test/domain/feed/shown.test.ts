import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Shown } from '../../../src/domain/feed/shown.ts'

interface Thing {
  readonly h: number
  changed: number
}

/** What happens in one tick: which of ten things are shown, which have changed, and whether the viewer reads. */
const tick = fc.record({ shown: fc.uniqueArray(fc.nat(9)), changed: fc.uniqueArray(fc.nat(9)), reads: fc.boolean() })

describe('what is shown to a viewer', () => {
  it('is what was there when it read last, and nothing else, whenever it has read', () => {
    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 30 }), (ticks) => {
        const things = Array.from({ length: 10 }, (_, h): Thing => ({ h, changed: 0 }))
        const shown = new Shown<Thing>()
        const show = (thing: Thing, now: number): void => shown.show(thing, now)
        const hide = (thing: Thing, now: number): void => shown.hide(thing, now)
        /** By handle, in which tick the viewer got it. */
        const seen = new Map<number, number>()
        let has = 0
        for (const [n, { shown: handles, changed, reads }] of ticks.entries()) {
          const now = n + 1
          for (const h of changed) things[h]!.changed = now
          for (const thing of things) (handles.includes(thing.h) ? show : hide)(thing, now)
          if (!reads && now < ticks.length) continue
          const since = shown.since(has)!
          for (const h of since.gone) seen.delete(h)
          for (const { h } of since.changed) assert.ok(seen.has(h), `${h} has changed, which the viewer never had`)
          for (const { h } of [...since.came, ...since.changed]) seen.set(h, now)
          has = now
          assert.deepEqual([...seen.keys()].sort(), [...handles].sort())
          for (const [h, got] of seen)
            assert.ok(got >= things[h]!.changed, `${h} has changed in ${things[h]!.changed} and was got in ${got}`)
        }
      }),
    )
  })

  it('begins anew for who has not seen any of the last 4,096 removals', () => {
    const shown = new Shown<Thing>()
    let before: Thing | undefined
    for (let now = 1; now <= 5000; now++) {
      if (before !== undefined) shown.hide(before, now)
      shown.show((before = { h: now, changed: now }), now)
    }
    // The removals of ticks 905 to 5000 are known: one was removed in each tick but the first.
    assert.equal(shown.since(902), undefined)
    assert.equal(shown.since(904)?.gone.length, 4096)
    assert.deepEqual(shown.since(4999), { came: [{ h: 5000, changed: 5000 }], changed: [], gone: [4999] })
  })
})
