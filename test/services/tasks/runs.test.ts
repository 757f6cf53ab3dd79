import assert from 'node:assert/strict'
import { most_runs } from '../../../src/domain/runs.ts'
import type { Pool } from '../../../src/services/pools/pool.ts'
import { Runs } from '../../../src/services/tasks/runs.ts'

describe('the runs of a task', () => {
  it('are counted all, and so many of them are told of', () => {
    const runs = new Runs(false)
    const pool = { id: 'pool', config: { model: 'mock:v1' }, loading: undefined } as unknown as Pool
    const task = { key: { owner: 'ann', task_id: 't' }, pool, accepted_on: 0, since: (now: number) => now }
    for (let n = 1; n <= most_runs + 4; n++) {
      runs.begin(task, { id: 'r0', props: undefined }, 'replay', n)
      runs.end(n, { code: 'WORKER_RESET', message: 'it failed' })
    }
    assert.equal(runs.count, most_runs + 4)
    assert.deepEqual(
      runs.told.map(({ n }) => n),
      Array.from({ length: most_runs }, (_, i) => i + 5),
    )
  })
})
