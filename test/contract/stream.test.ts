import assert from 'node:assert/strict'
import { streamProblems } from '../../cli/contract/stream.ts'

const events = { started: 0, token: 0, reasoning: 0, tool_call: 0, metrics: 0, end: 0, error: 0 }
const problems = (frames: readonly string[], resumed = false): string[] => streamProblems(frames.join(''), events, () => undefined, resumed)

const frame = (event: string, id: string | undefined, data: object = {}): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
const mark = (bytes: number): string => `${bytes}-0123abcd`
const token = (bytes: number, i: number, t: string): string => frame('token', mark(bytes), { t, i })
const call = (bytes: number, i: number, index: number, of: object, text = ''): string =>
  frame('tool_call', mark(bytes), { i, index, arguments: text, ...of })

const started = frame('started', '0')
const running = frame('metrics', undefined, { phase: 'decoding', queue_position: 0, predicted_start_ms: 0, replica_id: 'r' })
const begins = { id: 'c', name: 'f' }
const end = frame('end', 'end')
const whole = [started, running, token(1, 0, 'a'), ': keep-alive\n\n', token(3, 1, 'é'), end]
const calling = [started, call(0, 0, 0, begins), call(2, 1, 0, {}, '{}'), call(2, 2, 1, begins), end]

describe('the check of a stream against the contract', () => {
  it('takes streams that are as they should be, from their start and from a later event on', () => {
    assert.deepEqual(problems(whole), [])
    assert.deepEqual(problems(calling), [])
    assert.deepEqual(problems([token(3, 1, 'é'), token(4, 2, 'b'), end], true), [])
    assert.deepEqual(problems([started, frame('error', 'end')]), [])
  })

  const noticed: readonly (readonly [what: string, frames: readonly string[], resumed?: boolean])[] = [
    ['a stream without its beginning', whole.slice(1)],
    ['something before the beginning', [running, ...whole]],
    ['a second beginning', [started, ...whole]],
    ['a beginning of what is read on', whole, true],
    ['no terminal event', whole.slice(0, -1)],
    ['two terminal events', [...whole, end]],
    ['something after the terminal event', [...whole, running]],
    ['a frame that is cut off', [...whole.slice(0, -1), end.slice(0, -1)]],
    ['an event that is not declared', [started, frame('other', undefined), end]],
    ['parts out of order', [started, token(1, 1, 'a'), end]],
    ['a part that is missing', [started, token(1, 0, 'a'), token(2, 2, 'b'), end]],
    ['a part that comes twice', [started, token(1, 0, 'a'), token(1, 0, 'a'), end]],
    ['bytes that are counted as characters', [started, token(1, 0, 'é'), end]],
    ['a mark that is none', [started, frame('token', '1', { t: 'a', i: 0 }), end]],
    ['metrics with an id', [started, frame('metrics', '1', { phase: 'queued' }), end]],
    ['a terminal event without its id', [started, frame('end', undefined)]],
    ['a call that goes on before it begins', [started, call(2, 0, 0, {}, '{}'), end]],
    ['a call that begins twice', [started, call(0, 0, 0, begins), call(0, 1, 0, begins), end]],
    ['a call with a name and no id', [started, call(0, 0, 0, { name: 'f' }), end]],
    ['a call that is left out', [started, call(0, 0, 1, begins), end]],
    ['a running task that waits', [started, frame('metrics', undefined, { phase: 'decoding', queue_position: 1 }), end]],
  ]
  for (const [what, frames, resumed] of noticed) it(`notices ${what}`, () => assert.notDeepEqual(problems(frames, resumed), []))

  it('says what a value has against its schema', () => {
    assert.deepEqual(
      streamProblems(`${started}${end}`, events, (_schema, value) => (value === undefined ? undefined : 'wrong'), false),
      ['started: wrong: {}', 'end: wrong: {}'],
    )
  })
})
