import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { EventFormat } from '../../../src/domain/stream/event-format.ts'
import { advance, startPosition } from '../../../src/domain/stream/mark.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { TaskLog } from '../../../src/domain/stream/task-log.ts'
import type { FrameSource } from '../../../src/domain/stream/frame-source.ts'
import { mixedParts } from './parts.kit.ts'
import { ended, metrics, started } from './task-log.kit.ts'

/** A door's format that says who wrote a frame, and counts how often it builds each one. */
function countingFormat(door: string): { readonly format: EventFormat; readonly built: Map<string, number> } {
  const built = new Map<string, number>()
  const frame = (what: string, data: unknown): string => {
    const text = `${door} ${what} ${JSON.stringify(data)}\n\n`
    built.set(text, (built.get(text) ?? 0) + 1)
    return text
  }
  const format: EventFormat = {
    started: (event) => frame('started', event),
    part: (part, index, { bytes, hash }) => frame('part', [index, bytes, hash, part]),
    metrics: (event) => frame('metrics', event),
    terminal: (event) => frame('terminal', event),
  }
  return { format, built }
}

/** All that a format writes of parts, without counting. */
function partFrames(door: string, parts: readonly Part[]): string[] {
  const { format } = countingFormat(door)
  let position = startPosition
  return parts.map((part, index) => format.part(part, index, (position = advance(position, part))))
}

const step = fc.record({
  name: fc.constantFrom('append', 'append', 'report', 'open', 'take', 'take'),
  door: fc.constantFrom('one', 'two'),
  pick: fc.nat(999),
  max_chars: fc.constantFrom(1, 80, 1000, 1 << 18),
})

describe('task log, readers of two doors', () => {
  it('gives each reader its own format, and builds each frame once for all readers of a door', () => {
    fc.assert(
      fc.property(mixedParts(60), fc.array(step, { maxLength: 150, size: 'max' }), (parts, steps) => {
        const doors = { one: countingFormat('one'), two: countingFormat('two') }
        const log = new TaskLog(started)
        const readers: { readonly door: 'one' | 'two'; readonly reader: FrameSource; wire: string }[] = []
        const open = (door: 'one' | 'two', from: TaskLog): void => {
          readers.push({ door, reader: from.read({ kind: 'start' }, doors[door].format), wire: '' })
        }
        const finish = (): void => {
          for (const one of readers) for (let more = one.reader.take(500); more !== ''; more = one.reader.take(500)) one.wire += more
          for (const { door, wire } of readers) {
            const events = wire.split(/(?<=\n\n)/)
            assert.equal(events.filter((frame) => !frame.startsWith(`${door} `)).length, 0)
            assert.deepEqual(
              events.filter((frame) => frame.startsWith(`${door} part `)),
              partFrames(door, appended),
            )
            assert.equal(events[0], countingFormat(door).format.started(started))
            assert.equal(events.at(-1), countingFormat(door).format.terminal(ended))
          }
          for (const door of ['one', 'two'] as const) {
            const { built } = doors[door]
            assert.deepEqual(
              [...built.values()].filter((times) => times !== 1),
              [],
            )
            const expected = readers.some((reader) => reader.door === door) ? appended.length : 0
            assert.equal([...built.keys()].filter((frame) => frame.startsWith(`${door} part `)).length, expected)
          }
        }
        const appended: Part[] = []
        let reports = 0
        for (const { name, door, pick, max_chars } of steps) {
          const next = parts[appended.length]
          if (name === 'append' && next !== undefined) {
            log.append(next)
            appended.push(next)
          } else if (name === 'report') log.report(metrics(++reports))
          else if (name === 'open') open(door, log)
          else if (name === 'take') {
            const one = readers[pick % Math.max(1, readers.length)]
            if (one !== undefined) one.wire += one.reader.take(max_chars)
          }
        }
        const stored = log.stored(ended, false)
        log.seal(ended)
        for (const door of ['one', 'one', 'two'] as const) open(door, log)
        finish()
        // The same from what was stored, where all readers come late.
        readers.length = 0
        for (const door of [doors.one, doors.two]) door.built.clear()
        const restored = TaskLog.restore(stored)
        for (const door of ['two', 'one', 'two'] as const) open(door, restored)
        finish()
      }),
      { numRuns: 300 },
    )
  })

  it('builds nothing for a door that nobody reads at', () => {
    const { format, built } = countingFormat('one')
    const log = new TaskLog(started)
    log.append({ kind: 'text', text: 'a' })
    log.read({ kind: 'start' }, format).close()
    log.append({ kind: 'text', text: 'b' })
    assert.equal(built.size, 0)
  })
})
