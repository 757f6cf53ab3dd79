import assert from 'node:assert/strict'
import fc from 'fast-check'
import { emptyMark, type Mark } from '../../../src/domain/stream/mark.ts'
import type { TerminalEvent } from '../../../src/domain/stream/task-events.ts'
import { TaskLog } from '../../../src/domain/stream/task-log.ts'
import { formatMark, resumePoint } from '../../../src/doors/native/event-id.ts'
import {
  canceled,
  codeOf,
  drain,
  ended,
  failed,
  kindsOf,
  markOf,
  metrics,
  part,
  readerOf,
  started,
  textOf,
  tokenText,
} from './task-log.kit.ts'

const tokens = fc.array(tokenText, { minLength: 1, maxLength: 30 })

function logOf(pieces: readonly string[], terminal?: TerminalEvent): TaskLog {
  const log = new TaskLog(started)
  for (const piece of pieces) log.append(part(piece))
  if (terminal !== undefined) log.seal(terminal)
  return log
}

/** A text cut into pieces of one to four code points. */
function recut(text: string, sizes: readonly number[]): string[] {
  const points = Array.from(text)
  const pieces: string[] = []
  for (let at = 0, turn = 0; at < points.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(points.slice(at, at + size).join(''))
    at += size
  }
  return pieces
}

const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 })

const after = (mark: Mark): { readonly kind: 'after'; readonly mark: Mark } => ({ kind: 'after', mark })

describe('task log: resuming', () => {
  it('after any token id gives exactly the frames after it', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), (pieces, pick) => {
        const log = logOf(pieces, ended)
        const whole = drain(readerOf(log, { kind: 'start' }))
        const from = pick % (pieces.length + 1)
        const point = resumePoint(whole[from]?.id)
        assert.ok(point?.kind === 'after_started' || point?.kind === 'after')
        assert.deepEqual(drain(readerOf(log, point)), whole.slice(from + 1))
      }),
      { numRuns: 500 },
    )
  })

  it('after a task was run again with other token borders gives the missing text, and only then when it is there', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), cuts, (pieces, pick, sizes) => {
        const whole = pieces.join('')
        const had = pieces.slice(0, 1 + (pick % pieces.length)).join('')
        const log = new TaskLog(started)
        const reader = readerOf(log, after(markOf(had)))
        let text = had
        log.report(metrics(1))
        for (const piece of recut(whole, sizes)) {
          log.append(part(piece))
          const frames = drain(reader)
          text += textOf(frames)
          if (log.text.length < had.length) assert.deepEqual(frames, [])
          else assert.equal(text, log.text)
          for (const { id, event } of frames) if (event === 'token') assert.equal(id, formatMark(markOf(log.text)))
        }
        log.seal(ended)
        assert.equal(text, whole)
        assert.equal(drain(reader).at(-1)?.event, 'end')
      }),
      { numRuns: 500 },
    )
  })

  it('ends with WORKER_RESET and nothing else where the text before the point is another', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.integer({ min: 1, max: 0xffff }), fc.boolean(), (pieces, pick, twist, early) => {
        const whole = pieces.join('')
        const points = Array.from(whole)
        const mark = markOf(points.slice(0, pick % (points.length + 1)).join(''))
        const log = early ? new TaskLog(started) : logOf(pieces, ended)
        const reader = readerOf(log, after({ bytes: mark.bytes, hash: (mark.hash ^ twist) >>> 0 }))
        if (early) for (const piece of pieces) log.append(part(piece))
        if (early && mark.bytes === markOf(whole).bytes) {
          // A tool call that begins without text may yet be what the reader has.
          assert.equal(reader.take(1000), '')
          log.append(part('more'))
        }
        const frames = drain(reader)
        assert.equal(kindsOf(frames), 'error')
        assert.equal(codeOf(frames[0]), 'WORKER_RESET')
        assert.equal(frames[0]?.id, 'end')
        assert.equal(reader.done, true)
        log.append(part('more'))
        log.report(metrics(1))
        log.seal(ended)
        assert.equal(reader.take(1000), '')
      }),
      { numRuns: 500 },
    )
  })

  it('inside a code point ends with WORKER_RESET', () => {
    const log = logOf(['a🦢b'], ended)
    for (const bytes of [2, 3, 4]) assert.equal(codeOf(drain(readerOf(log, after({ bytes, hash: markOf('a').hash })))[0]), 'WORKER_RESET')
    assert.equal(textOf(drain(readerOf(log, after(markOf('a🦢'))))), 'b')
  })

  it('beyond the end waits while the task runs, and ends with WORKER_RESET where it completed with less', () => {
    const log = logOf(['one'])
    const reader = readerOf(log, after(markOf('one two three')))
    let wakes = 0
    reader.onReadable(() => {
      wakes++
    })
    assert.equal(reader.take(1000), '')
    log.append(part(' two'))
    assert.equal(reader.take(1000), '')
    log.append(part(' three four'))
    assert.equal(textOf(drain(reader)), ' four')
    assert.equal(wakes, 2)
    const stuck = readerOf(log, after(markOf('one two three four five')))
    assert.equal(stuck.take(1000), '')
    log.seal(ended)
    assert.equal(codeOf(drain(stuck)[0]), 'WORKER_RESET')
    assert.equal(stuck.done, true)
  })

  it('beyond the end of a task that failed gives the failure', () => {
    for (const [terminal, code] of [
      [failed, 'DECODE_TIMEOUT'],
      [canceled, 'CANCELED'],
    ] as const) {
      const log = logOf(['one'])
      log.report(metrics(1))
      const reader = readerOf(log, after(markOf('one two')))
      log.seal(terminal)
      const frames = drain(reader)
      assert.equal(kindsOf(frames), 'metrics error')
      assert.equal(codeOf(frames[1]), code)
    }
  })

  it('after no text at all gives all tokens, also those to come', () => {
    const log = new TaskLog(started)
    const reader = readerOf(log, after(emptyMark))
    log.append(part('a'))
    log.append(part('b'))
    assert.equal(textOf(drain(reader)), 'ab')
    assert.equal(textOf(drain(readerOf(log, after(emptyMark)))), 'ab')
    assert.equal(codeOf(drain(readerOf(log, after({ bytes: 0, hash: 0 })))[0]), 'WORKER_RESET')
  })
})
