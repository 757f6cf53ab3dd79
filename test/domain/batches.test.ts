import assert from 'node:assert/strict'
import fc from 'fast-check'
import { become, isDone, withLine, type BatchRecord } from '../../src/domain/batches/batch.ts'
import { linesOf } from '../../src/domain/batches/file.ts'
import { sampleBatch } from '../conformance/storage.samples.ts'

async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) yield await Promise.resolve(piece)
}

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('batches', () => {
  it('know which lines are done, whatever their order', () => {
    const order = fc.shuffledSubarray(Array.from({ length: 20 }, (_, n) => n))
    fc.assert(
      fc.property(order, fc.infiniteStream(fc.boolean()), (lines, fails) => {
        let batch: BatchRecord = { ...sampleBatch('ann', 'b1', 'in_progress'), completed: 0, failed: 0, next: 0, done: [] }
        for (const line of lines) batch = withLine(batch, line, fails.next().value ? 'failed' : 'completed')
        for (let line = 0; line < 20; line++) assert.equal(isDone(batch, line), lines.includes(line))
        assert.equal(batch.completed + batch.failed, lines.length)
        assert.ok(!batch.done.includes(batch.next) && batch.done.length + batch.next === lines.length)
      }),
    )
  })

  it('come to be nothing before they were what they were, though the clock is set back', () => {
    const batch: BatchRecord = { ...sampleBatch('ann', 'b1', 'in_progress'), created_at: 1000, at: {} }
    const begun = become(batch, 'in_progress', 900.5)
    assert.deepEqual(begun.at, { in_progress: 1000 })
    const ending = become(begun, 'finalizing', 3000.5)
    assert.deepEqual(become(ending, 'completed', 2000).at, { in_progress: 1000, finalizing: 3000, completed: 3000 })
  })

  it('read the lines of a text however it comes', async () => {
    const line = fc.string({ maxLength: 8 }).map((text) => text.replace(/[\r\n]/g, ''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(fc.nat(40)),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (lines, cuts, end, marked) => {
          const text = (marked ? '\ufeff' : '') + lines.map((one) => one + end).join('')
          const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
          const pieces = at.slice(1).map((to, n) => text.slice(at[n], to))
          assert.deepEqual(await collected(linesOf(piecesOf(pieces), 100)), lines)
        },
      ),
    )
  })

  it('refuse a line without end', async () => {
    await assert.rejects(collected(linesOf(piecesOf(['a\n', 'b'.repeat(9), 'c'.repeat(9)]), 10)), RangeError)
  })
})
