import assert from 'node:assert/strict'
import fc from 'fast-check'
import { linesOf } from '../../sdk/src/lines.ts'
import { collected } from './scripted.ts'

describe('lines of a file', () => {
  it('are the same however its bytes arrive, the last one with an end or without', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/\n/g, ' '))
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.integer({ min: 1, max: 9 })), async (lines, ends, sizes) => {
        let bytes = new TextEncoder().encode(lines.join('\n') + (ends ? '\n' : ''))
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (const size of sizes) {
              controller.enqueue(bytes.subarray(0, size))
              bytes = bytes.subarray(size)
            }
            controller.enqueue(bytes)
            controller.close()
          },
        })
        assert.deepEqual(await collected(linesOf(body)), lines)
      }),
    )
  })
})
