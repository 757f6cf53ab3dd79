import assert from 'node:assert/strict'
import fc from 'fast-check'
import { modelsWithin } from '../../../src/domain/models/model-limits.ts'
import { ModelNames } from '../../../src/domain/models/model-names.ts'
import { namesOf, poolsOf, type NamedModel } from '../../../src/domain/models/named-model.ts'
import { fits, isWildcard, lengthOf } from '../../../src/domain/models/wildcard.ts'

const letters = (alphabet: string, min: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength: min, maxLength: 6 })
const name = letters('ab-', 1)
const pattern = letters('ab-*', 1)

const modelOf = (name: string, aliases: readonly string[] = []): NamedModel => ({
  name,
  aliases,
  pools: [name],
  fallback: [],
  defaults: {},
})

/** Models of the configuration: no name and no alias is there twice. */
const models: fc.Arbitrary<NamedModel[]> = fc
  .array(fc.tuple(name, fc.array(pattern, { maxLength: 4 })), { minLength: 1, maxLength: 5 })
  .map((drawn) => {
    const seen = new Set(drawn.map(([name]) => name))
    const fresh = (text: string): boolean => !seen.has(text) && seen.add(text).has(text)
    return [...new Map(drawn).entries()].map(([name, aliases]) => modelOf(name, aliases.filter(fresh)))
  })

/** The rules read one by one. */
function naive(all: readonly NamedModel[], asked: string): NamedModel | undefined {
  const byName = all.find((model) => model.name === asked)
  const byAlias = all.find(({ aliases }) => aliases.some((alias) => !isWildcard(alias) && alias === asked))
  const wild = all.flatMap((model) => model.aliases.flatMap((alias) => (isWildcard(alias) && fits(alias, asked) ? [{ alias, model }] : [])))
  const longest = Math.max(...wild.map(({ alias }) => lengthOf(alias)))
  return byName ?? byAlias ?? wild.find(({ alias }) => lengthOf(alias) === longest)?.model
}

describe('a wildcard', () => {
  it('stands for any characters, or for none', () => {
    fc.assert(
      fc.property(pattern, letters('ab-', 0), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
        assert.equal(fits(pattern, text), expression.test(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('fits where its pieces stand in order, none of them in another', () => {
    assert.deepEqual(
      (
        [
          ['claude-*', 'claude-'],
          ['*', ''],
          ['*-mini', 'gpt-4o-mini'],
          ['a*b*a', 'aba'],
          ['a*a', 'a'],
          ['*ab*ab*', 'xabx'],
          ['a*bc*c', 'abc'],
        ] as const
      ).map(([pattern, name]) => fits(pattern, name)),
      [true, true, true, true, false, false, false],
    )
  })

  it('takes no long time with a long name', () => {
    assert.equal(fits(`${'*a'.repeat(120)}b`, 'a'.repeat(512)), false)
  })
})

describe('a name that a task asks for', () => {
  it('is a name before it is an alias, and that before it fits the longest wildcard', () => {
    fc.assert(
      fc.property(models, name, (all, asked) => {
        assert.equal(new ModelNames(all).find(asked), naive(all, asked))
      }),
      { numRuns: 1000 },
    )
  })

  it('is found by every name and alias', () => {
    fc.assert(
      fc.property(models, (all) => {
        const names = new ModelNames(all)
        for (const model of all) for (const exact of namesOf(model)) if (!isWildcard(exact)) assert.equal(names.find(exact), model)
      }),
    )
  })

  it('is the first of the configuration where two wildcards are as long', () => {
    const [one, other] = [modelOf('one', ['a*', '*xyz']), modelOf('other', ['*a', 'xyz*'])]
    const names = new ModelNames([one, other])
    assert.deepEqual([names.find('axa'), names.find('xyza'), names.find('none')], [one, other, undefined])
  })

  it('may be one of those that no list shows', () => {
    const [shown, hidden] = [modelOf('shown', ['also']), modelOf('also', ['hidden'])]
    const names = new ModelNames([shown], [hidden])
    assert.deepEqual([names.find('also'), names.find('hidden')], [shown, hidden])
  })
})

describe('what a key may use that is limited', () => {
  const coder = { ...modelOf('coder', ['gpt-4o-mini', 'claude-*']), fallback: ['cloud'] }
  const large = modelOf('large', ['claude-opus-*'])
  const names = new ModelNames([coder, large], [modelOf('box', ['coder'])])
  const within = (...limits: string[]): string[] => [...modelsWithin(limits, names)].map(({ name }) => name)

  it('is what its limits name, by whatever name', () => {
    assert.deepEqual(poolsOf(coder), ['coder', 'cloud'])
    assert.deepEqual(within('gpt-4o-mini'), ['coder'])
    assert.deepEqual(within('claude-haiku'), ['coder'])
    assert.deepEqual(within('claude-opus-4'), ['large'])
    assert.deepEqual(within('claude-opus-4*'), ['large'], 'what fits is all of that model')
    assert.deepEqual(within('claude*'), ['coder', 'large'])
    assert.deepEqual(within('box'), ['box'], 'one pool of it is not all of it')
    assert.deepEqual(within('coder'), ['coder', 'box'])
    assert.deepEqual(within('nothing', 'gpt-5*'), [])
    assert.deepEqual(within('*'), ['coder', 'large', 'box'])
  })

  it('holds every model that one of the limits names, and none that has no name in common with them', () => {
    fc.assert(
      fc.property(models, fc.array(pattern, { minLength: 1, maxLength: 3 }), (all, limits) => {
        const names = new ModelNames(all)
        const allowed = modelsWithin(limits, names)
        for (const limit of limits) {
          const model = names.find(limit)
          if (model !== undefined) assert.ok(allowed.has(model))
        }
        for (const model of all)
          if (allowed.has(model))
            assert.ok(limits.some((limit) => names.find(limit) === model || namesOf(model).some((one) => fits(limit, one))))
      }),
    )
  })
})
