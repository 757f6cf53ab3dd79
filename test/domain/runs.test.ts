import assert from 'node:assert/strict'
import fc from 'fast-check'
import { attemptsOf, cutOff, endedRun, phasesOf, spanAfter, spanOf, type Run, type Span } from '../../src/domain/runs.ts'

const ms = fc.nat(50)

/** Runs as a task has them, one after another: each waited since the one before ended. */
const history = fc
  .array(
    fc.record({ wait: ms, loads: fc.option(fc.tuple(ms, ms), { nil: undefined }), first: fc.option(ms, { nil: undefined }), rest: ms }),
    {
      maxLength: 4,
    },
  )
  .map((steps) => {
    const runs: Run[] = []
    let at = 0
    for (const [index, { wait, loads, first, rest }] of steps.entries()) {
      const waited = at
      const began = at + wait
      const loading = loads === undefined ? undefined : spanAfter({ from: waited + loads[0], to: waited + loads[0] + loads[1] }, waited)
      const place = { n: index + 1, pool_id: 'pool', replica_id: 'r0', waited, began }
      const inside = loading?.to !== undefined && loading.to <= began ? { loading } : {}
      at = began + (first ?? 0) + rest
      runs.push({ ...place, ...inside, ...(first === undefined ? {} : { first: began + first }), ended: at })
    }
    return { runs, at }
  })

describe('the life of a task', () => {
  it('has no gap and no overlap, whatever happened', () => {
    fc.assert(
      fc.property(history, ms, fc.boolean(), fc.boolean(), ({ runs, at }, tail, open, ends) => {
        const last = runs.at(-1)
        const told = open && last !== undefined ? [...runs.slice(0, -1), { ...last, ended: undefined } as unknown as Run] : runs
        const ended = ends && !(open && last !== undefined) ? at + tail : undefined
        const phases = phasesOf(told, { pool_id: 'pool' }, ended)
        let to: number | undefined = 0
        for (const { from_ms, to_ms, attempt, phase, replica_id } of phases) {
          assert.equal(from_ms, to)
          assert.ok(to_ms === undefined || to_ms > from_ms)
          assert.equal(replica_id, phase === 'queued' || phase === 'loading' ? undefined : 'r0')
          assert.ok(attempt <= runs.length + 1)
          to = to_ms
        }
        assert.equal(to, ended)
      }),
    )
  })

  it('shows when the model was brought up while it waited, then and now', () => {
    const run: Run = { n: 1, pool_id: 'p', replica_id: 'r', waited: 0, loading: { from: 5, to: 20 }, began: 25, first: 30, ended: 40 }
    const shown = (runs: readonly Run[], loading?: Span, ended?: number) =>
      phasesOf(runs, { pool_id: 'q', loading }, ended).map(({ phase, attempt, pool_id, from_ms, to_ms }) => [
        phase,
        attempt,
        pool_id,
        from_ms,
        to_ms,
      ])
    const first = [
      ['queued', 1, 'p', 0, 5],
      ['loading', 1, 'p', 5, 20],
      ['queued', 1, 'p', 20, 25],
      ['prefilling', 1, 'p', 25, 30],
      ['decoding', 1, 'p', 30, 40],
    ]
    assert.deepEqual(shown([run], { from: 45 }), [...first, ['queued', 2, 'q', 40, 45], ['loading', 2, 'q', 45, undefined]])
    assert.deepEqual(shown([run], { from: 5, to: 20 }), [...first, ['queued', 2, 'q', 40, undefined]])
    assert.deepEqual(shown([run], undefined, 40), first)
    assert.deepEqual(shown([], { from: 5 }, 9), [
      ['queued', 1, 'q', 0, 5],
      ['loading', 1, 'q', 5, 9],
    ])
  })

  it('tells runs with their ends, and to operators what the engine said', () => {
    const failure = { code: 'WORKER_RESET', message: 'The engine failed.', cause: 'signal 11' } as const
    const run = endedRun({ n: 3, pool_id: 'p', replica_id: 'r', waited: 0, began: 1000 }, 2000, failure)
    const told = {
      n: 3,
      replica_id: 'r',
      started_at: '1970-01-01T00:00:01.500Z',
      ended_at: '1970-01-01T00:00:02.500Z',
      code: 'WORKER_RESET',
    }
    assert.deepEqual(attemptsOf([run], 500, false), [{ ...told, message: 'The engine failed.' }])
    assert.deepEqual(attemptsOf([run], 500, true), [{ ...told, message: 'signal 11' }])
    assert.equal(cutOff(run, 9000), run)
    assert.equal(cutOff({ n: 1, pool_id: 'p', replica_id: 'r', waited: 0, began: 1000 }, 900).ended, 1000, 'never before it began')
  })

  it('keeps the newest span of something that comes and goes', () => {
    let span: Span | undefined
    const seen = [false, true, true, false, false, true].map((on, now) => (span = spanOf(span, on, now)))
    assert.deepEqual(seen, [undefined, { from: 1 }, { from: 1 }, { from: 1, to: 3 }, { from: 1, to: 3 }, { from: 5 }])
  })
})
