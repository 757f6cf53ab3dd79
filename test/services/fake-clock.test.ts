import assert from 'node:assert/strict'
import { setImmediate as nextRound } from 'node:timers/promises'
import { FakeClock } from '../harness/fake-clock.ts'

describe('the clock of tests', () => {
  it('goes on when what came of a write has been done, in whichever round of the event loop the write ends', async () => {
    for (let rounds = 0; rounds < 12; rounds++) {
      const clock = new FakeClock()
      let writing = true
      clock.busy = () => writing
      let rang = false
      const work = async (): Promise<void> => {
        for (let round = 0; round < rounds; round++) await nextRound()
        writing = false
        await nextRound()
        await nextRound()
        clock.after(1000, () => (rang = true))
      }
      const worked = work()
      await clock.advance(1000)
      await worked
      assert.ok(rang, `a write of ${rounds} rounds`)
    }
  })
})
