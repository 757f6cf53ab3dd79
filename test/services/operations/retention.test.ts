import assert from 'node:assert/strict'
import type { DaemonEvent } from '../../../src/domain/daemon-events.ts'
import { wallNow } from '../../../src/ports/clock.ts'
import { retention } from '../../../src/services/operations/retention.ts'
import { FakeClock } from '../../harness/fake-clock.ts'

describe('retention', () => {
  it('forgets once a minute what is past its own time by the wall clock, again where that failed', async () => {
    const clock = new FakeClock()
    clock.stepped_ms = 500
    const begun = wallNow(clock)
    const purged: number[][] = []
    const events: DaemonEvent[] = []
    const purge = (...before: number[]): Promise<void> =>
      purged.push(before.map((at) => at - begun)) === 1 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()
    const stop = retention(
      { tasks_ms: 1000, artifacts_ms: 5000 },
      { journal: { purge }, clock, events: { emit: (event) => void events.push(event) } },
    )
    await clock.advance(120_000)
    stop()
    await clock.advance(120_000)
    assert.deepEqual(purged, [
      [59_000, 55_000],
      [119_000, 115_000],
    ])
    assert.deepEqual(
      events.map((event) => event.type === 'notice' && event.level),
      ['error'],
    )
  })
})
