import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Mark } from '../../../src/domain/stream/mark.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { TaskLog } from '../../../src/domain/stream/task-log.ts'
import { formatMark, resumePoint } from '../../../src/doors/native/event-id.ts'
import { nativeFormat } from '../../../src/doors/native/frames.ts'
import type { Frame } from '../../../cli/contract/frame.ts'
import { callsOf, markOfParts, mixedParts, partsOf, passagesOf, recut, restOf, sizes, textOfParts } from './parts.kit.ts'
import { codeOf, drain, ended, failed, framesOf, kindsOf, metrics, part, readerOf, started } from './task-log.kit.ts'

const someParts = mixedParts(40)

const after = (mark: Mark): { readonly kind: 'after'; readonly mark: Mark } => ({ kind: 'after', mark })

const get = (text: string): Part => ({ kind: 'tool_call', index: 0, id: 'a', name: 'get', text })
const more = (text: string): Part => ({ kind: 'tool_call', index: 0, text })

function logOf(parts: readonly Part[]): TaskLog {
  const log = new TaskLog(started)
  for (const part of parts) log.append(part)
  return log
}

/** The log while the task runs, once it has ended, and as it was stored. */
function logsOf(parts: readonly Part[]): TaskLog[] {
  const [running, done] = [logOf(parts), logOf(parts)]
  const stored = done.stored(ended, false)
  done.seal(ended)
  return [running, done, TaskLog.restore(stored)]
}

/** What a reader gets from here on. */
const readFrom = (log: TaskLog, id: string | undefined): Frame[] => {
  const point = resumePoint(id)
  assert.ok(point !== undefined && point.kind !== 'nothing')
  return drain(readerOf(log, point))
}

describe('task log of parts of any kind: resuming', () => {
  it('after any frame id gives exactly the frames after it', () => {
    fc.assert(
      fc.property(someParts, (parts) => {
        for (const log of logsOf(parts)) {
          const whole = readFrom(log, undefined)
          for (const { id } of whole) {
            if (id === 'end') continue
            // Later pieces of a call without text do not move the id: who has one of them needs no other.
            const last = whole.findLastIndex((frame) => frame.id === id)
            assert.deepEqual(readFrom(log, id), whole.slice(last + 1))
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('after any code point of a part gives the rest of it and then the others', () => {
    fc.assert(
      fc.property(someParts, fc.nat(), fc.nat(), (parts, pick, where) => {
        fc.pre(parts.length > 0)
        const index = pick % parts.length
        const whole = parts[index] ?? assert.fail()
        const points = Array.from(whole.text)
        fc.pre(points.length > 1)
        const at = 1 + (where % (points.length - 1))
        const before = [...parts.slice(0, index), { ...whole, text: points.slice(0, at).join('') }]
        const rest = restOf(whole, points.slice(at).join(''))
        const first = framesOf(nativeFormat.part(rest, index, markOfParts(parts.slice(0, index + 1))))
        for (const log of logsOf(parts)) {
          const frames = readFrom(log, formatMark(markOfParts(before)))
          assert.deepEqual(frames.slice(0, 1), first)
          const others = readFrom(log, undefined).filter(({ data, event }) => event === 'end' || Number(data?.['i']) > index)
          assert.deepEqual(frames.slice(1), others)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('while the task runs gives what is there and what comes', () => {
    fc.assert(
      fc.property(someParts, fc.nat(40), fc.nat(40), (parts, there, had) => {
        const log = logOf(parts.slice(0, there))
        const mark = markOfParts(parts.slice(0, Math.min(had, there)))
        const reader = readerOf(log, after(mark))
        const got = drain(reader)
        for (const part of parts.slice(there)) {
          log.append(part)
          got.push(...drain(reader))
        }
        const last = parts
          .slice(0, there)
          .findLastIndex((_, index) => formatMark(markOfParts(parts.slice(0, index + 1))) === formatMark(mark))
        const indices = got.map(({ data }) => data?.['i'])
        assert.deepEqual(indices, parts.map((_, index) => index).slice(last + 1))
      }),
      { numRuns: 500 },
    )
  })

  it('after a task was run again in other pieces gives what is missing, and only when it is there', () => {
    fc.assert(
      fc.property(someParts, fc.nat(), sizes, (parts, pick, some) => {
        const had = parts.slice(0, pick % (parts.length + 1))
        const [mark, end] = [markOfParts(had), markOfParts(parts)]
        const log = new TaskLog(started)
        const reader = readerOf(log, after(mark))
        const got: Part[] = []
        let bytes = 0
        log.report(metrics(1))
        for (const part of recut(parts, some)) {
          log.append(part)
          const frames = drain(reader)
          bytes += Buffer.byteLength(part.text)
          if (bytes < mark.bytes) assert.deepEqual(frames, [])
          assert.doesNotMatch(kindsOf(frames), /error/)
          got.push(...partsOf(frames))
        }
        log.seal(ended)
        const frames = drain(reader)
        assert.equal(frames.at(-1)?.event, 'end')
        got.push(...partsOf(frames))
        assert.deepEqual(markOfParts([...had, ...got]), end)
        assert.deepEqual(callsOf([...had, ...got]), callsOf(parts))
      }),
      { numRuns: 1000 },
    )
  })

  it('ends with WORKER_RESET and nothing else where what is before the point is another', () => {
    fc.assert(
      fc.property(someParts, fc.nat(), fc.integer({ min: 1, max: 0xffff }), fc.boolean(), (parts, pick, twist, other) => {
        const had = parts.slice(0, 1 + (pick % Math.max(1, parts.length)))
        const { bytes, hash } = markOfParts(had)
        // Twisted a little, or of the same text in one passage.
        const text = `\0other${textOfParts(had)}`
        const mark = { bytes, hash: other ? markOfParts([{ kind: 'text', text }]).hash : (hash ^ twist) >>> 0 }
        for (const log of logsOf(parts).slice(1)) {
          const reader = readerOf(log, after(mark))
          const frames = drain(reader)
          assert.equal(kindsOf(frames), 'error')
          assert.equal(codeOf(frames[0]), 'WORKER_RESET')
          assert.equal(reader.done, true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('waits for a call that begins without text, and knows when something else comes', () => {
    const begun = markOfParts([part('a'), get('')])
    const waiting = (): { readonly log: TaskLog; readonly next: (part?: Part) => string } => {
      const log = logOf([part('a')])
      const reader = readerOf(log, after(begun))
      assert.equal(reader.take(1000), '')
      const next = (part?: Part): string => {
        if (part !== undefined) log.append(part)
        return drain(reader)
          .map((frame) => `${frame.event} ${String(frame.data?.['arguments'] ?? codeOf(frame))}`)
          .join(', ')
      }
      return { log, next }
    }
    const same = waiting()
    assert.equal(same.next(get('')), '')
    assert.equal(same.next(more('{}')), 'tool_call {}')
    assert.equal(waiting().next(get('{}')), 'tool_call {}')
    assert.equal(waiting().next(part('b')), 'error WORKER_RESET')
    const ends = waiting()
    ends.log.seal(ended)
    assert.equal(ends.next(), 'error WORKER_RESET')
    const fails = waiting()
    fails.log.seal(failed)
    assert.equal(fails.next(), 'error DECODE_TIMEOUT')
    // Also as the very first part.
    const log = new TaskLog(started)
    const reader = readerOf(log, after(markOfParts([get('')])))
    assert.equal(reader.take(1000), '')
    log.append(get('{'))
    assert.deepEqual(partsOf(drain(reader)), [more('{')])
  })

  it('has a name for each passage that a later one does not bring with it', () => {
    const parts = [get('{'), { kind: 'tool_call', index: 1, id: 'b', name: 'put', text: '[' } as const, more('}'), part('x')]
    assert.deepEqual(
      passagesOf(parts).map(({ call, name }) => [call, name]),
      [
        [0, 'get'],
        [1, 'put'],
        [0, undefined],
        [undefined, undefined],
      ],
    )
    const [, done] = logsOf(parts)
    assert.ok(done)
    assert.deepEqual(partsOf(readFrom(done, formatMark(markOfParts(parts.slice(0, 2))))), parts.slice(2))
  })
})
