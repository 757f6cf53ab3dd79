import assert from 'node:assert/strict'
import { PartTimes } from '../../../src/services/tasks/part-times.ts'

describe('when parts came', () => {
  it('tells what they took since a dispatch, unless some are of a run before', () => {
    const times = new PartTimes()
    assert.deepEqual([times.took(0), times.decode_ms], [undefined, undefined])
    assert.deepEqual([times.heard(10), times.heard(25), times.heard(30)], [true, false, false])
    assert.deepEqual([times.took(4), times.decode_ms], [{ prefill_ms: 6, decode_ms: 20 }, 20])
    assert.deepEqual([times.took(10), times.took(11)], [{ prefill_ms: 0, decode_ms: 20 }, undefined])
  })
})
