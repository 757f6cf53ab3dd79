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

  const faultOf = (content: Buffer): string | undefined => {
    const path = join(dir.path, 'model.gguf')
    writeFileSync(path, content)
    const fd = openSync(path, 'r')
    try {
      return headerFault(fd, content.length)
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
