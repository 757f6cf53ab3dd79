import assert from 'node:assert/strict'
import { FakeClock } from '../../harness/fake-clock.ts'
import type { MemoryStorage } from '../../harness/memory-storage.ts'
import { startRig, teach } from '../../harness/rig.ts'

describe('what the pools have learned', () => {
  it('is stored each minute that brought something new, and in no other', async () => {
    const rig = await startRig()
    const stored = (): number => rig.storage.facts('pool_put').length
    const before = stored()
    await rig.clock.advance(60_000)
    const nothing = stored()
    assert.ok(rig.lines.every(({ level }) => level === 'info'))
    for (const minute of [1, 2, 3]) {
      teach(rig.pool(), 1)
      await rig.clock.advance(60_000)
      assert.equal(stored(), nothing + minute)
      await rig.clock.advance(60_000)
      assert.equal(stored(), nothing + minute, 'nothing is written anew')
    }
    assert.ok(nothing - before <= 1)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.deepEqual(next.pool().estimator.stored, rig.pool().estimator.stored)
  })

  it('has how long engines take to come up, which those of the next life are told by', async () => {
    const load_ms = 40_000
    const start = (storage?: MemoryStorage) =>
      startRig({
        clock,
        ...(storage === undefined ? {} : { storage }),
        prepare: (engine) => {
          engine.onStart = () => new Promise((resolve) => clock.after(load_ms, resolve))
        },
      })
    const clock = new FakeClock()
    const rig = await start()
    assert.equal(rig.pool().readyAfterMs, 1000, 'nothing is known')
    await clock.advance(load_ms + 60_000)
    const next = await start(rig.storage)
    assert.equal(next.pool().readyAfterMs, load_ms)
    await clock.advance(load_ms / 4)
    assert.equal(next.pool().readyAfterMs, (load_ms * 3) / 4)
  })
})
