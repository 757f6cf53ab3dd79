import assert from 'node:assert/strict'
import { quantile, reportOf } from '../../cli/bench/report.ts'
import type { Done } from '../../cli/bench/load.ts'
import { asking, listOf, pointInTime, seconds, wholeNumber } from '../../cli/common/command.ts'
import { explain, exit } from '../../cli/common/exit.ts'
import { shown, spanText, styled, table } from '../../cli/common/output.ts'
import { placeText } from '../../cli/common/teller.ts'
import { ApiError, ConnectionError } from '../../sdk/src/index.ts'

const wrong = { code: 'commander.invalidArgument' }

describe('what a command line takes', () => {
  const parsed = (...args: string[]): Record<string, unknown> => {
    const command = asking('do', 'does', [])
      .addOption(seconds('--wait', 'waits', 1500))
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
    return command.parse(args, { from: 'user' }).opts()
  }

  it('are URLs without a slash at their end, and without a name', () => {
    assert.equal(parsed('--url', 'https://box.test:8080//')['url'], 'https://box.test:8080')
    for (const url of ['box', 'ftp://box', 'http://ann:secret@box']) assert.throws(() => parsed('--url', url), wrong)
  })

  it('are seconds, which mean milliseconds', () => {
    assert.equal(parsed()['wait'], 1500)
    for (const [text, ms] of [
      ['0', 0],
      ['1.5', 1500],
      ['0.0004', 0],
      ['1000000000', 1e12],
    ] as const)
      assert.equal(parsed('--wait', text)['wait'], ms)
    for (const text of ['1e3', '-1', '1000000001', '.5', '']) assert.throws(() => parsed('--wait', text), wrong)
  })

  it('are whole numbers within bounds, points in time and lists', () => {
    const number = wholeNumber(1, 200)
    assert.deepEqual([number('1'), number('200')], [1, 200])
    for (const text of ['0', '201', '1.5', '1e1', '']) assert.throws(() => number(text), wrong)
    assert.equal(pointInTime('2026-01-31'), '2026-01-31T00:00:00.000Z')
    assert.throws(() => pointInTime('soon'), wrong)
    assert.deepEqual(listOf(' a, b,,c '), ['a', 'b', 'c'])
  })
})

describe('what a command says', () => {
  it('is a span in the unit that suits it', () => {
    const spans = {
      0: '0.0 s',
      9_949: '9.9 s',
      9_950: '10 s',
      59_999: '60 s',
      60_000: '1.0 min',
      3_599_999: '60 min',
      3_600_000: '1.0 h',
      86_400_000: '1.0 d',
    }
    for (const [ms, text] of Object.entries(spans)) assert.equal(spanText(Number(ms)), text)
  })

  it('is a table whose numbers stand to the right, without a sign that steers a terminal', () => {
    assert.deepEqual(
      table(
        ['NAME', 'N'],
        [
          ['a', '5'],
          ['long', '10 s'],
        ],
      ),
      ['NAME     N', 'a        5', 'long  10 s'],
    )
    assert.deepEqual(table(['NAME', 'N'], []), ['NAME  N'])
    assert.equal(shown('a\u001b[31m\u0000\u007f\u0085\u009bb'), 'a [31m    b')
    for (const stream of [{ isTTY: false }, {}]) assert.equal(styled('red', 'a', stream), 'a')
    const before = process.env['NO_COLOR']
    process.env['NO_COLOR'] = '1'
    assert.equal(styled('red', 'a', { isTTY: true }), 'a')
    if (before === undefined) delete process.env['NO_COLOR']
    else process.env['NO_COLOR'] = before
  })

  it('is where a task stands', () => {
    assert.deepEqual(
      [placeText(0, 0), placeText(0, 1500), placeText(2, 0), placeText(2, 1500)],
      ['starts now', 'next, starts in about 1.5 s', '2 ahead, starts in about 0.0 s', '2 ahead, starts in about 1.5 s'],
    )
  })

  it('is when a refused one may try again, in whole seconds, and how to name a key', () => {
    const refused = (status: number, headers = {}): unknown => {
      const { status: ended, message } = explain(
        new ApiError(new Response(null, { status, headers }), { error: { message: 'a\n  b', code: 'c' } }),
        '',
      )
      return [ended, message]
    }
    assert.deepEqual(refused(429, { 'X-Backoff-Ms': '1001' }), [exit.refused, 'refused (429 c): a b Try again in 2 s.'])
    assert.deepEqual(refused(401), [exit.refused, 'refused (401 c): a b Name a key with --key or ORCHD_KEY.'])
    const gone = explain(
      new ConnectionError('gone', { cause: new TypeError('a', { cause: Object.assign(new Error('b'), { code: 'ECONNREFUSED' }) }) }),
      'http://box',
    )
    assert.deepEqual([gone.status, gone.message.includes('http://box (ECONNREFUSED)')], [exit.unreachable, true])
  })
})

describe('the report of a load', () => {
  it('has the middle and nearly the worst of what was measured', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n)
    assert.deepEqual(
      [quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1), quantile([7], 0.5), quantile([], 0.5)],
      [50, 95, 100, 7, 0],
    )
  })

  it('counts by the second, and is wrong by how far a prediction was off either way', () => {
    const one = (priority: Done['priority'], predicted_start_ms: number, queue_ms: number): Done => ({
      ...{ priority, predicted_start_ms, queue_ms, first_token_ms: priority === 'batch' ? 20 : 10, total_ms: 30, tokens_out: 5 },
    })
    const report = reportOf([one('interactive', 0, 0), one('interactive', 100, 140), one('batch', 100, 60)], ['no'], 2000)
    assert.deepEqual([report.tasks, report.failed, report.tasks_per_second, report.tokens_per_second], [3, 1, 1.5, 7.5])
    assert.deepEqual([report.first_token_ms.interactive.p50, report.first_token_ms.batch.p50], [10, 20])
    assert.deepEqual([report.prediction.waited, report.prediction.error_ms], [2, { p50: 40, p95: 40 }])
  })
})
