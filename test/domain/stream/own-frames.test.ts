import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { EventFormat } from '../../../src/domain/stream/event-format.ts'
import { TaskLog } from '../../../src/domain/stream/task-log.ts'
import { ended, metrics, part, started } from './task-log.kit.ts'

/** A format that remembers what it has written, as those of doors do. */
function remembering(): EventFormat & { readonly own: true; readonly built: string[] } {
  const built: string[] = []
  const add = (frame: string): string => {
    built.push(frame)
    return frame
  }
  return {
    own: true,
    built,
    started: () => '',
    // Some parts have no frame at such a door.
    part: ({ text }, index) => add(text.length % 7 === 3 ? '' : `${built.length} ${index} ${text}\n`),
    terminal: () => 'over\n',
  }
}

const step = fc.oneof(
  fc.record({ append: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ append: fc.constantFrom(9_000, 40_000) }),
  fc.record({ take: fc.constantFrom(1, 60, 2000, 1 << 16, Infinity) }),
)

describe('frames of one reader', () => {
  it('are built once each, in order, whatever the reader’s pace', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.boolean(), (steps, early) => {
        const log = new TaskLog(started)
        const format = remembering()
        const reader = log.read({ kind: 'start' }, format)
        if (early) assert.equal(reader.take(1), '')
        let wire = ''
        let count = 0
        for (const one of steps)
          if ('append' in one) {
            log.append(part('x'.repeat(one.append)))
            count++
          } else wire += reader.take(one.take)
        log.seal(ended)
        for (let more = reader.take(500); more !== ''; more = reader.take(500)) wire += more
        assert.equal(format.built.length, count)
        assert.equal(wire, `${format.built.join('')}over\n`)
        assert.ok(reader.done)
      }),
      { numRuns: 300 },
    )
  })

  it('are built no more at once than the reader takes, but for the last', () => {
    const log = new TaskLog(started)
    const format = remembering()
    for (let n = 0; n < 100; n++) log.append(part('y'.repeat(100)))
    const reader = log.read({ kind: 'start' }, format)
    assert.ok(reader.take(250).length < 250 + 110)
    assert.equal(format.built.length, 3)
  })

  it('are built no more than 64 Ki characters ahead of a reader that stalls', () => {
    const log = new TaskLog(started)
    const format = remembering()
    const reader = log.read({ kind: 'start' }, format)
    reader.take(1)
    for (let n = 0; n < 100; n++) log.append(part('y'.repeat(4096)))
    assert.equal(format.built.length, 16)
    assert.ok(reader.take(1).length >= 64 * 1024)
    while (reader.take(1) !== '');
    assert.equal(format.built.length, 100)
  })

  it('are built no more when the reader has gone, and not for others', () => {
    const log = new TaskLog(started)
    const [gone, stays] = [remembering(), remembering()]
    const leaver = log.read({ kind: 'start' }, gone)
    const reader = log.read({ kind: 'start' }, stays)
    log.append(part('a'))
    assert.equal(leaver.take(100), '0 0 a\n')
    assert.equal(reader.take(100), '0 0 a\n')
    leaver.close()
    log.append(part('b'))
    assert.equal(gone.built.length, 1)
    assert.equal(reader.take(100), '1 1 b\n')
  })

  it('have no metrics where the door tells of none', () => {
    const log = new TaskLog(started)
    const silent = log.read({ kind: 'start' }, remembering())
    assert.equal(log.tellsMetrics, false)
    log.report(metrics(1))
    assert.equal(silent.take(100), '')
    const told = log.read({ kind: 'start' }, { ...remembering(), metrics: ({ queue_depth }) => `depth ${queue_depth}\n` })
    assert.equal(log.tellsMetrics, true)
    assert.match(told.take(100), /^depth \d+\n$/)
    told.close()
    assert.equal(log.tellsMetrics, false)
  })
})
