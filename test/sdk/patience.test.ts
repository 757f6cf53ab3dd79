import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { ConnectionError } from '../../sdk/src/index.ts'
import { Patience, systemTiming } from '../../sdk/src/patience.ts'

const broken = new ConnectionError('gone')

describe('the patience of the client', () => {
  let now = 0
  let waits: number[] = []
  const sleep = (ms: number): Promise<void> => {
    now += ms
    waits.push(ms)
    return Promise.resolve()
  }
  const patienceOf = (limit_ms: number): Patience => new Patience({ now: () => now, random: () => 0, sleep }, limit_ms)
  beforeEach(() => {
    now = 1_000_000
    waits = []
  })

  it('waits twice as long from failure to failure, at most ten seconds', async () => {
    const patience = patienceOf(Infinity)
    for (let n = 0; n < 8; n++) await patience.wait(broken)
    assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  it('counts from the first failure since the last success', async () => {
    const patience = patienceOf(1000)
    for (let n = 0; n < 20; n++) {
      await patience.wait(broken)
      await patience.wait(broken)
      await assert.rejects(patience.wait(broken), broken)
      now += 3_600_000
      patience.restore()
    }
  })

  it('sleeps no more once it is aborted, and leaves neither a timer nor a listener', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const stop = new AbortController()
    const reason = new Error('enough')
    await systemTiming.sleep(0, stop.signal)
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
    const sleeping = systemTiming.sleep(600_000, stop.signal)
    stop.abort(reason)
    await assert.rejects(sleeping, reason)
    await assert.rejects(systemTiming.sleep(600_000, stop.signal), reason)
    // One of another file may have run meanwhile.
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`)
  })
})
