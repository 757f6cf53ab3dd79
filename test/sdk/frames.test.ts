import assert from 'node:assert/strict'
import fc from 'fast-check'
import { framesOf, type Frame } from '../../sdk/src/frames.ts'
import { linesOf } from '../../sdk/src/lines.ts'
import { collected } from './scripted.ts'

const bodyOf = (chunks: readonly Uint8Array[], closes = true): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      if (closes) controller.close()
    },
  })

const patient_ms = 600_000
const read = (body: ReadableStream<Uint8Array>): Promise<Frame[]> => collected(framesOf(body, patient_ms))

describe('frames of an event stream', () => {
  it('are the same however the bytes arrive and lines end', async () => {
    const frame = fc.record({
      event: fc.constantFrom('token', 'metrics'),
      id: fc.option(fc.constantFrom('0', '12-00ff00ff'), { nil: undefined }),
      data: fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' ')),
        { minLength: 1, maxLength: 3 },
      ),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (frames, newline, sizes) => {
          const lines = frames.flatMap(({ event, id, data }) => [
            ': keep-alive',
            ...(id === undefined ? [] : [`id: ${id}`]),
            `event: ${event}`,
            ...data.map((line) => `data: ${line}`),
            'unknown: field',
            '',
          ])
          let bytes = new TextEncoder().encode([...lines, ': end', ''].join(newline))
          const chunks = sizes.map((size) => {
            const chunk = bytes.subarray(0, size)
            bytes = bytes.subarray(size)
            return chunk
          })
          const expected = frames.map(({ event, id, data }) => ({ event, id, data: data.join('\n') }))
          assert.deepEqual(await read(bodyOf([...chunks, bytes])), expected)
        },
      ),
    )
  })

  it('are whole ones only', async () => {
    const bytes = new TextEncoder().encode('event: a\ndata: 1\n\nevent: b\ndata: 2\n')
    assert.deepEqual(await read(bodyOf([bytes])), [{ event: 'a', id: undefined, data: '1' }])
  })

  it('end where the connection is silent for too long', async () => {
    assert.deepEqual(await collected(framesOf(bodyOf([], false), 1)), [])
  })
  it('leave no timer behind, and close the connection where their reader leaves', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    // Mocha's own begins with the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    const before = timers()
    const bytes = new TextEncoder().encode('data: 1\n\ndata: 2\n\n')
    assert.equal((await read(bodyOf([bytes, bytes]))).length, 4)
    for (const readerOf of [(body: ReadableStream<Uint8Array>) => framesOf(body, patient_ms), linesOf]) {
      let closed = false
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes),
        cancel: () => void (closed = true),
      })
      for await (const one of readerOf(body)) if (one !== '') break
      assert.equal(closed, true)
    }
    // One of another file may have run meanwhile.
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`)
  })
})
