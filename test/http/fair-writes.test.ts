import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fairly } from '../../src/http/fair-writes.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  it('come to everyone once, in order, a bounded amount in each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ chars: fc.constantFrom(0, 200, 64 * 1024), again: fc.boolean() }), { maxLength: 300, size: 'max' }),
        async (runs) => {
          const order: number[] = []
          let inThisTurn = 0
          let calls = 0
          let expected = 0
          const ask = (id: number, chars: number, again: boolean): void => {
            expected++
            fairly(() => {
              order.push(id)
              inThisTurn += chars
              calls++
              if (again) ask(id + 1000, chars, false)
              return chars
            })
          }
          for (const [id, { chars, again }] of runs.entries()) ask(id, chars, again)
          assert.deepEqual(order, [])
          let most = 0
          while (order.length < expected) {
            const before = order.length
            inThisTurn = 0
            calls = 0
            await nextTurn()
            assert.ok(order.length > before, 'a round for nobody')
            // A write costs something, however little it writes.
            most = Math.max(most, inThisTurn + (calls - 1) * 4096)
          }
          await nextTurn()
          const agains = runs.flatMap(({ again }, id) => (again ? [id + 1000] : []))
          assert.deepEqual(order, [...runs.keys(), ...agains])
          assert.ok(most <= (256 + 64) * 1024, `${most} characters and writes in one round`)
        },
      ),
      { numRuns: 100 },
    )
  })
})
