import assert from 'node:assert/strict'
import { DomainError } from '../../../src/domain/errors.ts'
import type { BatchRecord } from '../../../src/domain/batches/batch.ts'
import type { Fact } from '../../../src/ports/journal.ts'
import { BatchResults } from '../../../src/services/batches/batch-results.ts'
import { BatchRun } from '../../../src/services/batches/batch-run.ts'
import type { AskLine } from '../../../src/services/batches/ask-line.ts'
import { sampleBatch } from '../../conformance/storage.samples.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'

const endpoint = '/v1/completions' as const

/** Results of a batch that has begun, what they commit, and how many of the next commits fail. */
function resultsOf(more: Partial<BatchRecord> = {}) {
  const clock = new FakeClock()
  const commits: Fact[] = []
  const disk = { fails: 0 }
  const created_at = clock.now()
  const batch = {
    ...sampleBatch('ann', 'batch_1', 'in_progress'),
    endpoint,
    expires_at: created_at + 86_400_000,
    next: 0,
    done: [],
    total: 3,
    completed: 0,
    failed: 0,
    ...more,
  }
  const results = new BatchResults(
    batch,
    { completed: undefined, failed: undefined },
    {
      clock,
      journal: {
        commit: (facts) => {
          if (disk.fails-- > 0) return Promise.reject(new Error('full'))
          commits.push(...facts)
          return Promise.resolve()
        },
      },
      files: {
        record: (owner, purpose, filename) => ({
          owner,
          file_id: purpose,
          filename,
          purpose,
          bytes: 0,
          parts: 0,
          created_at,
          state: 'incomplete',
        }),
      },
      onFailure: () => undefined,
    },
  )
  const written = (): string => commits.flatMap((fact) => (fact.kind === 'file_part' ? [fact.part.text] : [])).join('')
  return { clock, results, disk, written }
}

/** A batch of three lines at work; `asked` are the tasks that it had. */
function atWork(answer: (task_id: string) => Promise<unknown>, more: Partial<BatchRecord> = {}) {
  const { clock, results, written } = resultsOf(more)
  const asked: string[] = []
  const ask: AskLine = ({ task_id }) => {
    asked.push(task_id)
    return Promise.resolve({ answer: answer(task_id), close: () => undefined })
  }
  const run = new BatchRun({
    ...{ results, clock, ask, window: 1, beside: () => false, cancelTasks: () => Promise.resolve() },
    lines: async function* () {
      for (let number = 1; number <= 3; number++)
        yield await Promise.resolve({ number, text: JSON.stringify({ custom_id: `${number}`, method: 'POST', url: endpoint, body: {} }) })
    },
    refusalOf: ({ kind }) => ({ status_code: 500, body: kind }),
  })
  return { clock, results, asked, written, over: run.work() }
}

describe('the lines of a batch at work', () => {
  it('are each given three runs that fail, and as many as it takes where others took their place', async () => {
    let runs = 0
    const failing = (task_id: string): Promise<unknown> => {
      if (task_id.startsWith('batch_1_1')) return Promise.reject(new DomainError('pool_unavailable', 'down', { retriable: true }))
      if (task_id.startsWith('batch_1_2') && ++runs < 6) return Promise.reject(new DomainError('nothing_to_drop', 'displaced'))
      return Promise.resolve({})
    }
    const { clock, results, asked, over } = atWork(failing)
    await clock.advance(60_000)
    await over
    const of = (line: number): number => asked.filter((id) => id.startsWith(`batch_1_${line}`)).length
    assert.deepEqual([of(1), of(2), of(3)], [3, 6, 1])
    assert.deepEqual([results.batch.failed, results.batch.completed, results.batch.status], [1, 2, 'completed'])
    assert.equal(new Set(asked).size, asked.length, 'each run is a task of its own')
  })

  it('wait as long as they are told before they come again, within bounds', async () => {
    for (const [told_ms, wait_ms] of [
      [1, 250],
      [700, 700],
      [1e9, 30_000],
    ] as const) {
      let runs = 0
      const details = { retriable: true, retry_after_ms: told_ms }
      const { clock, asked, over } = atWork(() =>
        ++runs === 1 ? Promise.reject(new DomainError('pool_unavailable', 'down', details)) : Promise.resolve({}),
      )
      const counts: number[] = []
      for (const more_ms of [wait_ms - 1, 1]) {
        await clock.advance(more_ms)
        counts.push(Math.min(2, asked.length))
      }
      assert.deepEqual(counts, [1, 2], `${told_ms} ms`)
      await clock.advance(1000)
      await over
    }
  })

  it('are not asked again where they are done', async () => {
    const { clock, asked, over } = atWork(() => Promise.resolve({}), { next: 1, done: [2], completed: 2 })
    await clock.advance(1000)
    await over
    assert.deepEqual(asked, ['batch_1_2'])
  })
})

describe('the results of a batch', () => {
  it('are written in the order in which they came, also where that was tried before', async () => {
    const { clock, results, disk, written } = resultsOf()
    disk.fails = 1
    const added = [0, 1, 2].map((line) => results.add({ line, outcome: 'completed', text: `${line}` }))
    await settled()
    assert.equal(written(), '')
    await clock.advance(1000)
    await Promise.all(added)
    assert.equal(written(), '0\n1\n2\n')
    assert.equal(results.batch.completed, 3)
  })
})
