import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatMark, parseMark, resumePoint } from '../../../src/doors/native/event-id.ts'

describe('event id of the native door', () => {
  it('comes from a mark and goes back to it', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bytes, hash) => {
        const id = formatMark({ bytes, hash })
        assert.match(id, /^\d+-[0-9a-f]{8}$/)
        assert.deepEqual(parseMark(id), { bytes, hash })
      }),
    )
  })

  it('is nothing but what the daemon writes', () => {
    for (const id of [
      '',
      '0',
      'end',
      '-',
      '1-',
      '1-0123456',
      '1-012345678',
      '01-01234567',
      '1-0123456G',
      '1-0123456A',
      ' 1-01234567',
      '1-01234567\n',
      '-1-01234567',
      '1e3-01234567',
      `${'9'.repeat(16)}-01234567`,
    ])
      assert.equal(parseMark(id), undefined, id)
    fc.assert(
      fc.property(fc.string(), (id) => {
        const mark = parseMark(id)
        if (mark !== undefined) assert.equal(formatMark(mark), id)
      }),
    )
  })

  it('says where a reader goes on, and nothing else does', () => {
    const after = (bytes: number, hash: number): unknown => ({ kind: 'after', mark: { bytes, hash } })
    assert.deepEqual(resumePoint(undefined), { kind: 'start' })
    assert.deepEqual(resumePoint(''), { kind: 'start' })
    assert.deepEqual(resumePoint('0'), { kind: 'after_started' })
    assert.deepEqual(resumePoint('end'), { kind: 'nothing' })
    assert.deepEqual(resumePoint('3-1a2b3c4d'), after(3, 0x1a2b3c4d))
    // No part yet, and the first piece of a tool call that comes first and has no text.
    assert.deepEqual(resumePoint('0-811c9dc5'), { kind: 'after_started' })
    assert.deepEqual(resumePoint('0-1a2b3c4d'), after(0, 0x1a2b3c4d))
    for (const id of ['1', '-1', 'start', '3-1A2B3C4D', '03-1a2b3c4d', '3-1a2b3c4d ', 'END']) assert.equal(resumePoint(id), undefined, id)
  })
})
