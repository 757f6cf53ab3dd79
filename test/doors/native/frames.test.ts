import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Part } from '../../../src/domain/stream/part.ts'
import { formatMark } from '../../../src/doors/native/event-id.ts'
import { nativeFormat } from '../../../src/doors/native/frames.ts'
import { markOfParts, mixedParts } from '../../domain/stream/parts.kit.ts'
import { ended, failed, framesOf, kindsOf, markOf, metrics, started, terminalFrame, tokenText } from '../../domain/stream/task-log.kit.ts'

/** The data of a part's frame. */
function dataOf(part: Part, i: number): Record<string, unknown> {
  if (part.kind === 'reasoning') return { t: part.text, i }
  if (part.kind === 'text') return { t: part.text, i, ...(part.logprobs === undefined ? {} : { logprobs: part.logprobs }) }
  const { index, id, name, text } = part
  return { index, ...(name === undefined ? {} : { id, name }), arguments: text, i }
}

const eventOf = { text: 'token', reasoning: 'reasoning', tool_call: 'tool_call' } as const

describe('frames of the native door', () => {
  it('of text parse back, one by one and back to back', () => {
    fc.assert(
      fc.property(fc.array(tokenText, { minLength: 1, maxLength: 30 }), (pieces) => {
        const marks = pieces.map((_, index) => markOf(pieces.slice(0, index + 1).join('')))
        const frames = pieces.map((text, index) => nativeFormat.part({ kind: 'text', text }, index, marks[index] ?? assert.fail()))
        const expected = pieces.map((t, i) => ({ id: formatMark(marks[i] ?? assert.fail()), event: 'token', data: { t, i } }))
        assert.deepEqual(framesOf(frames.join('')), expected)
        frames.forEach((frame, index) => assert.deepEqual(framesOf(frame), [expected[index]]))
      }),
    )
    assert.deepEqual(framesOf(''), [])
  })

  it('of parts of any kind parse back', () => {
    fc.assert(
      fc.property(mixedParts(30), (parts) => {
        parts.forEach((part, index) => {
          const mark = markOfParts(parts.slice(0, index + 1))
          assert.deepEqual(framesOf(nativeFormat.part(part, index, mark)), [
            { id: formatMark(mark), event: eventOf[part.kind], data: dataOf(part, index) },
          ])
        })
      }),
    )
  })

  it('are what they were: the bytes of a token', () => {
    assert.equal(
      nativeFormat.part({ kind: 'text', text: 'Once "\n🦢' }, 7, { bytes: 11, hash: 0xab }),
      'id: 11-000000ab\nevent: token\ndata: {"t":"Once \\"\\n🦢","i":7}\n\n',
    )
  })

  it('say what they are', () => {
    const wire = [nativeFormat.started(started), nativeFormat.metrics(metrics(1)), terminalFrame(ended), terminalFrame(failed)].join('')
    assert.equal(kindsOf(framesOf(wire)), 'started metrics end error')
    assert.deepEqual(
      framesOf(wire).map(({ id }) => id),
      ['0', undefined, 'end', 'end'],
    )
    assert.deepEqual(
      framesOf(wire).map(({ data }) => data),
      [started, metrics(1), 'end' in ended ? ended.end : undefined, failed.error],
    )
  })
})
