import assert from 'node:assert/strict'
import type { BatchRecord } from '../../../src/domain/batches/batch.ts'
import { BatchResults } from '../../../src/services/batches/batch-results.ts'
import { BatchRun } from '../../../src/services/batches/batch-run.ts'
import { pause } from '../../../src/ports/clock.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { startRig } from '../../harness/rig.ts'

const endpoint = '/v1/completions' as const
const window = 2
const total = 6

/** A batch at work on an engine that takes no time. @param write_ms what the storage takes for a result */
function atWork(
  beside: boolean,
  write_ms = 10,
): { clock: FakeClock; run: BatchRun; results: BatchResults; asked: string[]; over: Promise<void> } {
  const clock = new FakeClock()
  const now = clock.now()
  const batch: BatchRecord = {
    ...{
      owner: 'ann',
      batch_id: 'batch_1',
      endpoint,
      input_file_id: 'file-1',
      metadata: null,
      created_at: now,
      expires_at: now + 86_400_000,
    },
    ...{ status: 'in_progress', at: {}, problems: [], total, completed: 0, failed: 0, output_file_id: null, error_file_id: null },
    ...{ next: 0, done: [] },
  }
  const results = new BatchResults(
    batch,
    { completed: undefined, failed: undefined },
    {
      clock,
      journal: { commit: () => pause(clock, write_ms) },
      files: {
        record: (owner, purpose, filename) => ({
          ...{ owner, file_id: 'file-2', filename, purpose, bytes: 0, parts: 0, created_at: now, state: 'incomplete' },
        }),
      },
      onFailure: (error) => assert.ifError(error),
    },
  )
  const asked: string[] = []
  const run = new BatchRun({
    ...{ results, clock, window, beside: () => beside, cancelTasks: () => Promise.resolve() },
    lines: async function* () {
      for (let number = 1; number <= total; number++) {
        yield await Promise.resolve({ number, text: JSON.stringify({ custom_id: `${number}`, method: 'POST', url: endpoint, body: {} }) })
      }
    },
    ask: ({ task_id }) => {
      asked.push(task_id)
      return Promise.resolve({ answer: Promise.resolve({}), close: () => undefined })
    },
    refusalOf: () => ({ status_code: 500, body: {} }),
  })
  return { clock, run, results, asked, over: run.work() }
}

describe('a batch beside others', () => {
  it('leaves the place of a line free for four times as long as its result took to become durable', async () => {
    const { clock, asked, results, over } = atWork(true)
    await clock.advance(10)
    assert.deepEqual([asked.length, results.batch.completed], [2, 1], 'the results of the first two go one after the other')
    await clock.advance(39)
    assert.equal(asked.length, 2)
    await clock.advance(1)
    assert.equal(asked.length, 3)
    await clock.advance(1000)
    await over
    assert.deepEqual([asked.length, results.batch.status], [total, 'completed'])
  })

  it('rests no longer than a quarter of a second', async () => {
    const { clock, asked, run, over } = atWork(true, 1000)
    await clock.advance(1249)
    assert.equal(asked.length, 2)
    await clock.advance(1)
    assert.equal(asked.length, 3)
    void run.close('cancelled')
    await clock.advance(5000)
    await over
  })

  it('does not rest when it is closed', async () => {
    const { clock, run, asked, results, over } = atWork(true)
    await clock.advance(20)
    assert.equal(results.batch.completed, 2)
    void run.close('cancelled')
    await clock.advance(10)
    await over
    assert.deepEqual([asked.length, results.batch.status], [2, 'cancelled'])
    assert.equal(clock.pending, 0)
  })

  it('does not rest where it is alone', async () => {
    const { clock, asked, over } = atWork(false)
    await clock.advance(10)
    assert.equal(asked.length, 3)
    await clock.advance(1000)
    await over
  })

  it('is one where an interactive task was accepted a moment ago', async () => {
    const rig = await startRig()
    const { live } = rig
    await rig.run({ task_id: 'a', priority: 'batch' })
    assert.equal(live.interactive_at, -Infinity)
    await rig.run({ task_id: 'b', priority: 'interactive' })
    assert.equal(live.interactive_at, rig.clock.now())
    await rig.clock.advance(100)
    await rig.run({ task_id: 'c', priority: 'batch' })
    assert.equal(live.interactive_at, rig.clock.now() - 100)
  })
})
