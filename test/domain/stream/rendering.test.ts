import assert from 'node:assert/strict'
import fc from 'fast-check'
import { advance, startPosition } from '../../../src/domain/stream/mark.ts'
import { PartLog } from '../../../src/domain/stream/part-log.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { framesOf, type Frames } from '../../../src/domain/stream/rendering.ts'
import { nativeFormat } from '../../../src/doors/native/frames.ts'
import { mixedParts } from './parts.kit.ts'
import { canceled, ended, failed, metrics, part, started, terminalFrame, tokenText } from './task-log.kit.ts'

/** Enough for several blocks, and for one that is not complete. */
const plain = fc.array(tokenText, { maxLength: 100, size: 'max' }).map((pieces) => pieces.map(part))
const someParts = fc.oneof(plain, mixedParts(100))
const maxChars = fc.constantFrom(1, 60, 500, 2000, 1 << 18)

/** The parts' frames, built one by one. */
function listOf(parts: readonly Part[]): string[] {
  let position = startPosition
  return parts.map((part, index) => nativeFormat.part(part, index, (position = advance(position, part))))
}

function look(rendering: Frames, list: readonly string[], index: number, max_chars: number): void {
  const taken = rendering.from(index, max_chars)
  const some = list.slice(index, taken.next)
  assert.equal(taken.frames, some.join(''))
  assert.equal(some.length > 0, index < list.length)
  assert.ok(some.slice(0, -1).join('').length < max_chars, 'one begins after max_chars')
  if (taken.next < list.length) assert.ok(taken.frames.length >= max_chars, 'less than there is')
}

describe('rendering', () => {
  it('is what a plain list of frames would be, as they come, when it comes late and as they are stored', () => {
    fc.assert(
      fc.property(someParts, fc.array(fc.tuple(fc.nat(110), maxChars), { maxLength: 20 }), fc.nat(99), (parts, looks, late) => {
        const list = listOf(parts)
        const log = new PartLog()
        const live = framesOf(nativeFormat, log)
        let joined: Frames | undefined
        parts.forEach((part, index) => {
          const mark = log.push(part)
          live.added(part, index, mark)
          joined?.added(part, index, mark)
          assert.equal(live.from(index, 1).frames, list[index])
          if (index === late) look((joined = framesOf(nativeFormat, log)), list.slice(0, index + 1), late >> 1, 500)
        })
        const stored = framesOf(nativeFormat, PartLog.of(log.joined))
        for (const rendering of [live, stored, framesOf(nativeFormat, log), ...(joined === undefined ? [] : [joined])]) {
          for (const [index, max_chars] of looks) look(rendering, list, index, max_chars)
          for (let at = 0; at < list.length; at++) assert.equal(rendering.from(at, 1).frames, list[at])
          assert.deepEqual(rendering.from(0, Infinity), { frames: list.join(''), next: list.length })
          assert.deepEqual(rendering.from(list.length, 1), { frames: '', next: list.length })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps the frames of the other events, and builds metrics anew where they are new', () => {
    const built: string[] = []
    const count = (frame: string): string => {
      built.push(frame)
      return frame
    }
    const rendering = framesOf(
      {
        started: (event) => count(nativeFormat.started(event)),
        part: (part, index, mark) => nativeFormat.part(part, index, mark),
        metrics: (event) => count(nativeFormat.metrics(event)),
        terminal: (event) => count(nativeFormat.terminal(event)),
      },
      new PartLog(),
    )
    const [one, two] = [metrics(1), metrics(2)]
    for (let n = 0; n < 2; n++) {
      assert.equal(rendering.startedFrame(started), nativeFormat.started(started))
      for (const event of [one, one, two, two]) assert.equal(rendering.metricsFrame(event), nativeFormat.metrics(event))
      assert.equal(rendering.terminalFrame(failed), terminalFrame(failed))
    }
    assert.equal(built.length, 6)
    assert.equal(new Set([ended, failed, canceled].map(terminalFrame)).size, 3)
  })
})
