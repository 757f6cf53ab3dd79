import assert from 'node:assert/strict'
import fc from 'fast-check'
import { choose } from '../../../src/domain/placement/choose.ts'

const gib = 2 ** 30
const seatArb = fc.record({
  busy: fc.nat(4),
  free_vram_bytes: fc.option(
    fc.nat(5).map((n) => n * gib),
    { nil: undefined, freq: 8 },
  ),
  warm: fc.oneof(fc.nat(3), fc.constant(Infinity)),
})

describe('the choice of a replica', () => {
  it('is the warmest that is not more than one task busier than the idlest, then by free memory, busy slots and order', () => {
    fc.assert(
      fc.property(fc.array(seatArb, { maxLength: 6 }), (seats) => {
        const idlest = Math.min(...seats.map(({ busy }) => busy))
        const told = seats.every(({ free_vram_bytes }) => free_vram_bytes !== undefined)
        const ranked = seats
          .filter(({ busy }) => busy <= idlest + 1)
          // A stable sort: equals stay in order. Infinity less Infinity is no number.
          .sort((a, b) => {
            if (a.warm !== b.warm) return a.warm > b.warm ? -1 : 1
            const memory = told ? (b.free_vram_bytes ?? 0) - (a.free_vram_bytes ?? 0) : 0
            return memory === 0 ? a.busy - b.busy : memory
          })
        assert.equal(
          choose(seats, ({ warm }) => warm),
          ranked[0],
        )
      }),
    )
  })

  it('takes differences of less than a GiB for noise', () => {
    const [a, b] = [
      { busy: 1, free_vram_bytes: 10.9 * gib },
      { busy: 0, free_vram_bytes: 10.1 * gib },
    ]
    assert.equal(
      choose([a, b], () => 0),
      b,
    )
  })
})
