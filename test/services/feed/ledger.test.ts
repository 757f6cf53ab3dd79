import assert from 'node:assert/strict'
import { most_samples, sample_ms } from '../../../src/domain/feed/series.ts'
import { Ledger } from '../../../src/services/feed/ledger.ts'
import { Pace } from '../../../src/services/feed/pace.ts'
import { FakeClock } from '../../harness/fake-clock.ts'

describe('the ledger', () => {
  it('keeps an hour and no more, however long it goes on', async () => {
    const clock = new FakeClock()
    const ledger = new Ledger({ pools: { serving: () => [] }, clock })
    const stop = ledger.start()
    const sizes: number[] = []
    for (const samples of [most_samples - 1, 1, 1, 20]) {
      await clock.advance(samples * sample_ms)
      sizes.push(ledger.bytes(1))
    }
    const [before = 0, full = 0] = sizes
    assert.ok(before < full)
    assert.deepEqual(sizes, [before, full, full, full])
    assert.equal(ledger.samples(['p']).pools[0]?.waiting.length, 0, 'there was no such pool')
    stop()
    assert.equal(clock.pending, 0)
  })
})

describe('the beats of the feed', () => {
  /** In which of thirty beats something is looked at, and progress, while so many tasks run and so much happens. */
  const looks = (running: number, happened: number): { readonly all: number; readonly progress: number } => {
    const pace = new Pace()
    let [all, progress] = [0, 0]
    for (let beat = 0; beat < 30; beat++) {
      pace.next()
      const look = pace.look(true)
      if (look === undefined) continue
      all++
      if (look.progress) progress++
      pace.looks(look, happened, running)
    }
    return { all, progress }
  }

  it('are one look each, and fewer where much happens or many run', () => {
    assert.equal(looks(1, 1).all, 30)
    assert.ok(looks(1, 20).all < 20)
    assert.ok(looks(100, 1).progress > looks(101, 1).progress)
  })

  it('are the turn of each pool once in ten, whatever happens', () => {
    for (const happened of [1, 20]) {
      const pace = new Pace()
      const turns = Array.from({ length: 10 }, () => 0)
      for (let beat = 0; beat < 30; beat++) {
        const isDue = pace.next()
        turns.forEach((_, index) => (turns[index]! += isDue(index) ? 1 : 0))
        const look = pace.look(true)
        if (look !== undefined) pace.looks(look, happened, 1)
      }
      assert.deepEqual(turns, Array<number>(10).fill(3))
    }
  })
})
