import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Part } from '../../../../src/domain/stream/part.ts'
import { ended, eventsOf, partsOf, said, write, type WireEvent } from './parts.kit.ts'

const lengths = fc.infiniteStream(fc.nat({ max: 9 }))

/** Pieces of text by the item they belong to, joined; every other event as it is, but for its number. */
function content(events: readonly WireEvent[]): { readonly texts: Record<string, string>; readonly others: string[] } {
  const texts: Record<string, string> = {}
  const others: string[] = []
  for (const { type, data } of events)
    if (type.endsWith('.delta')) texts[String(data['item_id'])] = (texts[String(data['item_id'])] ?? '') + String(data['delta'])
    else others.push(JSON.stringify({ ...data, sequence_number: 0 }))
  return { texts, others }
}

describe('the events of a response', () => {
  it('have rising numbers, and from the number of any of them on exactly the rest follows', () => {
    fc.assert(
      fc.property(said, lengths, (given, cuts) => {
        const parts = partsOf(given, cuts)
        const all = eventsOf(write(given, parts, -1))
        all.forEach(({ number }, i) => {
          if (i > 0) assert.ok(number > (all[i - 1]?.number ?? Infinity))
          // Whoever has the last event knows that there is nothing more.
          if (i === all.length - 1) return
          assert.equal(
            write(given, parts, number),
            all
              .slice(i + 1)
              .map(({ raw }) => raw)
              .join(''),
          )
        })
      }),
    )
  })

  it('have numbers that do not depend on how the answer was cut: another run gives the rest, not a unit lost or doubled', () => {
    fc.assert(
      fc.property(said, lengths, lengths, (given, cuts, others) => {
        const before = eventsOf(write(given, partsOf(given, cuts), -1))
        const again = partsOf(given, others)
        for (const { number } of before.slice(0, -1)) {
          const rest = eventsOf(write(given, again, number))
          for (const event of rest) assert.ok(event.number > number)
          assert.deepEqual(content([...before.filter((event) => event.number <= number), ...rest]), content(before))
        }
      }),
    )
  })

  it('end once, with the whole output, and each item is begun before it is ended', () => {
    fc.assert(
      fc.property(said, lengths, (given, cuts) => {
        const all = eventsOf(write(given, partsOf(given, cuts), -1))
        const ends = all.filter(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type))
        assert.deepEqual(ends, all.slice(-1))
        const { output } = ends[0]?.data['response'] as { output: unknown[] }
        const done = all.flatMap(({ type, data }) => (type === 'response.output_item.done' ? [data['item']] : []))
        if ('end' in given.terminal) assert.deepEqual(output, done)
        else assert.deepEqual(output.slice(0, done.length), done)
        const added = all.flatMap(({ type, data }) => (type === 'response.output_item.added' ? [data['output_index']] : []))
        assert.deepEqual(added, [...output.keys()])
      }),
    )
  })

  it('give calls one after the other and whole, though an engine mixes their pieces', () => {
    const given = { passages: [], background: false, summary: false, terminal: { end: { ...ended, finish_reason: 'tool_calls' } } } as const
    const piece = (index: number, text: string, name?: string): Part => ({
      kind: 'tool_call',
      index,
      text,
      ...(name === undefined ? {} : { id: 'x', name }),
    })
    const mixed = [piece(0, '', 'plain'), piece(1, '', 'patch'), piece(0, '{"a"'), piece(1, '{"input":'), piece(0, ':1}'), piece(1, '"b"}')]
    const all = eventsOf(write(given, mixed, -1))
    const done = all.flatMap(({ type, data }) => (type === 'response.output_item.done' ? [data['item'] as Record<string, unknown>] : []))
    assert.deepEqual(
      done.map(({ name, arguments: json, input }) => [name, json ?? input]),
      [
        ['plain', '{"a":1}'],
        ['patch', 'b'],
      ],
    )
    const open = all.filter(({ type }) => type.includes('output_item')).map(({ type, data }) => [type.slice(21), data['output_index']])
    assert.deepEqual(open, [
      ['added', 0],
      ['done', 0],
      ['added', 1],
      ['done', 1],
    ])
  })

  it('end for a reader that has more than the log, where the task failed', () => {
    const given = {
      passages: [],
      background: true,
      summary: false,
      terminal: { error: { code: 'WORKER_RESET', message: 'It broke.', retriable: true } },
    } as const
    const [end, ...others] = eventsOf(write(given, [], 40))
    assert.deepEqual(others, [])
    assert.equal(end?.type, 'response.failed')
    assert.equal(end.number, 41)
  })
})
