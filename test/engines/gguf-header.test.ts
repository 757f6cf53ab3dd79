import assert from 'node:assert/strict'
import fc from 'fast-check'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { headerFault } from '../../src/adapters/engines/llamacpp/gguf-header.ts'
import { temporaryDir } from '../harness/process.ts'

const tinytales = readFileSync(fileURLToPath(new URL('../../models/tinytales.gguf', import.meta.url)))

describe('the header of a GGUF file', () => {
  let dir: ReturnType<typeof temporaryDir>
  before(() => (dir = temporaryDir()))
  after(() => dir.remove())

  const faultOf = (content: Buffer, size = content.length): string | undefined => {
    const path = join(dir.path, 'model.gguf')
    writeFileSync(path, content)
    const fd = openSync(path, 'r')
    try {
      return headerFault(fd, size)
    } finally {
      closeSync(fd)
      rmSync(path)
    }
  }

  it('of a model has no fault', () => {
    assert.equal(faultOf(tinytales), undefined)
  })

  it('is refused wherever it is cut off', () => {
    for (const length of [24, 40, 1000, 5000]) assert.ok(faultOf(tinytales.subarray(0, length)) !== undefined, String(length))
  })

  const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer)
  const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
  const text = (content: string): Buffer => Buffer.concat([u64(content.length), Buffer.from(content)])
  /** A header of entries (a type and a value each) and of tensors of so many dimensions. */
  const headerOf = (entries: readonly Buffer[], tensors: readonly number[] = [], version = 3): Buffer =>
    Buffer.concat([
      ...[Buffer.from('GGUF'), u32(version), u64(tensors.length), u64(entries.length)],
      ...entries.flatMap((entry) => [text('key'), entry]),
      ...tensors.flatMap((dimensions) => [text('name'), u32(dimensions), Buffer.alloc(8 * dimensions + 12)]),
    ])
  /** Lists in lists, so deep, of one byte. */
  const nested = (depth: number): Buffer =>
    Buffer.concat([u32(9), ...Array.from({ length: depth - 1 }, () => [u32(9), u64(1)]).flat(), u32(0), u64(1), Buffer.from([7])])

  it('is of a version that is known, with tensors and lists that are no deeper than there are', () => {
    const versions = [1, 2, 3, 4].map((version) => faultOf(headerOf([], [], version)) === undefined)
    assert.deepEqual(versions, [false, true, true, false])
    const dimensions = [0, 4, 5].map((count) => faultOf(headerOf([], [count])))
    assert.deepEqual(dimensions, [undefined, undefined, 'a tensor claims 5 dimensions'])
    const lists = [1, 3, 4].map((depth) => faultOf(headerOf([nested(depth)])))
    assert.deepEqual(lists, [undefined, undefined, 'a value of its header has the unknown type 9'])
  })

  it('is read on where a number lies across the end of what is read at once', () => {
    const begin = headerOf([Buffer.concat([u32(8), text('')]), u32(4)]).length
    for (let before = 0; before <= 30; before++) {
      const long = Buffer.concat([u32(8), text('x'.repeat((1 << 20) - begin - before + 15))])
      assert.equal(faultOf(headerOf([long, Buffer.concat([u32(4), u32(7)])], [2])), undefined, String(before))
    }
  })

  it('is not read beyond a file that has become shorter', () => {
    const whole = headerOf([Buffer.concat([u32(8), text('x')])])
    for (let cut = 1; cut < whole.length - 8; cut++)
      assert.ok(faultOf(whole.subarray(0, -cut), whole.length) !== undefined || cut <= 1, String(cut))
  })

  it('is walked to an end whatever numbers stand in it', () => {
    const head = tinytales.subarray(0, 20_000)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4000), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { minLength: 1, maxLength: 4 }),
        (claims) => {
          const content = Buffer.from(head)
          for (const [at, value] of claims) content.writeBigUInt64LE(value, 4 + at)
          const fault = faultOf(content)
          assert.ok(fault === undefined || fault.length > 0)
        },
      ),
      { numRuns: 200 },
    )
  })
})
