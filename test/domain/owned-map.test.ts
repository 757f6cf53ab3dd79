import assert from 'node:assert/strict'
import fc from 'fast-check'
import { OwnedMap } from '../../src/domain/owned-map.ts'

const step = fc.record({
  does: fc.constantFrom('set', 'delete', 'delete another'),
  owner: fc.constantFrom('ann', 'bob'),
  id: fc.constantFrom('a', 'b', 'c', 'a/b'),
})

describe('a map by owner and id', () => {
  it('is a map by both, whose values come owner by owner in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const owned = new OwnedMap<object>()
        const model: { readonly owner: string; readonly id: string; thing: object }[] = []
        for (const { does, owner, id } of steps) {
          const at = model.findIndex((one) => one.owner === owner && one.id === id)
          if (does === 'set') {
            const thing = {}
            owned.set(owner, id, thing)
            if (at < 0) model.push({ owner, id, thing })
            else model[at]!.thing = thing
          } else {
            const isIt = does === 'delete' && at >= 0
            assert.equal(owned.delete(owner, id, isIt ? model[at]!.thing : {}), isIt)
            if (isIt) model.splice(at, 1)
          }
          const of = (name: string): object[] => model.filter((one) => one.owner === name).map(({ thing }) => thing)
          assert.equal(owned.size, model.length)
          assert.equal(owned.get(owner, id), model.find((one) => one.owner === owner && one.id === id)?.thing)
          for (const name of ['ann', 'bob', 'cy']) assert.deepEqual([...owned.values(name)], of(name))
          assert.deepEqual(new Set(owned.values()), new Set(model.map(({ thing }) => thing)))
          assert.equal([...owned.values()].length, model.length)
          assert.deepEqual(new Set(owned.named(id)), new Set(model.filter((one) => one.id === id).map(({ thing }) => thing)))
        }
      }),
    )
  })
})
