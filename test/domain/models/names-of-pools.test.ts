import assert from 'node:assert/strict'
import fc from 'fast-check'
import { namesOf } from '../../../src/domain/models/named-model.ts'
import { namesOfPools, nameTold, type NamingPool } from '../../../src/domain/models/names-of-pools.ts'

const shown = (pools: readonly NamingPool[]): string[] =>
  namesOfPools(pools).listed.map((model) => `${namesOf(model).join(' ')}: ${model.pools.join(' ')}`)
const found = (pools: readonly NamingPool[], name: string): readonly string[] | undefined => namesOfPools(pools).find(name)?.pools

describe('names of pools without names of the configuration', () => {
  it('are the model, the id and what the server calls the model', () => {
    const pools = [
      { id: 'tales', model: 'file:tales.gguf' },
      { id: 'box', model: 'served:box', told: 'llama3' },
    ]
    assert.deepEqual(shown(pools), ['file:tales.gguf tales: tales', 'served:box llama3 box: box'])
    for (const name of ['served:box', 'llama3', 'box']) assert.deepEqual(found(pools, name), ['box'])
    assert.equal(found(pools, 'other'), undefined)
  })

  it('are those of all pools of a model, and each id is still its own pool', () => {
    const pools = ['a', 'b'].map((id) => ({ id, model: 'mock:v1' }))
    assert.deepEqual(shown(pools), ['mock:v1: a b'])
    assert.deepEqual([found(pools, 'mock:v1'), found(pools, 'b')], [['a', 'b'], ['b']])
  })

  it('are the server’s where several serve what it calls the same', () => {
    const pools = ['a', 'b'].map((id) => ({ id, model: `served:${id}`, told: 'org/model' }))
    assert.deepEqual(shown(pools), ['org/model: a b'])
    assert.deepEqual([found(pools, 'org/model'), found(pools, 'served:b'), found(pools, 'a')], [['a', 'b'], ['b'], ['a']])
  })

  it('are no other pool’s: what a server tells comes after models and ids', () => {
    const pools = [
      { id: 'a', model: 'served:a', told: 'b' },
      { id: 'b', model: 'mock:v1', told: 'mock:v1' },
    ]
    assert.deepEqual(shown(pools), ['served:a a: a', 'mock:v1 b: b'])
  })

  it('lead to all pools that answer to them, whatever pools there are, and lists show each pool once', () => {
    const text = fc.constantFrom('x', 'y', 'z')
    const pool = fc.record({
      model: fc.oneof(
        text,
        text.map((name) => `served:${name}`),
      ),
      told: fc.option(fc.oneof(text, fc.constantFrom('p0', 'p1')), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(pool, { minLength: 1, maxLength: 6 }), (drawn) => {
        const pools = drawn.map((one, i) => ({ ...one, id: `p${i}` }))
        const names = namesOfPools(pools)
        assert.deepEqual(names.listed.flatMap((model) => model.pools).toSorted(), pools.map(({ id }) => id).toSorted())
        const all = names.listed.flatMap(namesOf)
        assert.equal(new Set(all).size, all.length)
        const taken = new Set(pools.flatMap(({ id, model }) => [id, model]))
        for (const { id, model, told } of pools) {
          assert.deepEqual(names.find(id)?.pools, [id])
          assert.deepEqual(
            names.find(model)?.pools,
            pools.filter((other) => other.model === model).map((other) => other.id),
          )
          if (told !== undefined && !taken.has(told))
            assert.deepEqual(
              names.find(told)?.pools,
              pools.filter((other) => other.told === told).map((other) => other.id),
            )
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('tell nobody where a server keeps its files', () => {
    const told = ['org/model', '/srv/models/tales.gguf', 'models/tales.gguf', 'C:\\models\\tales.gguf', './m', 'two words', 'any*', '']
    assert.deepEqual(told.map(nameTold), ['org/model', 'tales.gguf', 'tales.gguf', 'tales.gguf', 'm', undefined, undefined, undefined])
  })
})
