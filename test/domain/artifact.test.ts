import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { artifactRef, canonicalJson, checkWellFormed, digestOf, sameJson, sealArtifact, type Artifact } from '../../src/domain/artifact.ts'
import { DomainError } from '../../src/domain/errors.ts'

/** The same value with the keys of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, reordered(one)]),
  )
}

const json = fc.jsonValue({ stringUnit: 'binary' }).map((value) => ({ value }))

describe('canonical JSON', () => {
  it('is that of RFC 8785, section 3.2.2', () => {
    const given = JSON.parse(
      String.raw`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
    ) as object
    const canonical = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
    assert.equal(canonicalJson(given), canonical)
    assert.equal(digestOf(given), createHash('sha256').update(canonical).digest('hex'))
  })

  it('sorts keys by UTF-16 code units, as in section 3.2.3', () => {
    const given = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const values = Object.values(JSON.parse(canonicalJson(given).replaceAll(/"[^"]*":/g, (key) => `"_${key.slice(1)}`)) as object)
    assert.deepEqual(values, [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  it('does not depend on the order of keys, and loses nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        const canonical = canonicalJson(value)
        assert.equal(canonicalJson(reordered(value) as object), canonical)
        assert.equal(digestOf(reordered(value) as object), digestOf(value))
        assert.equal(sameJson(reordered(value) as object, value), true)
        assert.equal(canonicalJson(JSON.parse(canonical) as object), canonical)
        assert.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 1000 },
    )
  })

  it('differs where the value does', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const same = JSON.stringify(reordered(sortedKeys(a))) === JSON.stringify(reordered(sortedKeys(b)))
        assert.deepEqual([digestOf(a) === digestOf(b), sameJson(a, b)], [same, same])
      }),
    )
    assert.notEqual(digestOf(JSON.parse('{"__proto__":1}') as object), digestOf(JSON.parse('{"__proto__":2}') as object))
    assert.throws(() => digestOf(JSON.parse('[1e400]') as object), { kind: 'invalid_params', message: /out of range/ })
    assert.notEqual(digestOf({ a: '1' }), digestOf({ a: 1 }))
    assert.notEqual(digestOf({ a: [1, 2] }), digestOf({ a: [2, 1] }))
  })

  it('has none of a lone surrogate: the client is told', () => {
    for (const value of [{ a: '\ud800' }, { a: ['x\udfff'] }, { '\ud800': 1 }])
      for (const refuse of [canonicalJson, checkWellFormed])
        assert.throws(
          () => refuse(value),
          (error) => error instanceof DomainError && error.kind === 'invalid_params' && error.message.startsWith('body'),
        )
  })

  it('is there exactly where the check finds nothing', () => {
    const unit = fc.constantFrom('a', 'é', '🦢', '\ud83e', '\udda2')
    const value = fc.object({
      key: fc.string({ unit, maxLength: 3 }),
      values: [fc.string({ unit, maxLength: 3 }), fc.constantFrom(null, true, 1)],
    })
    const throws = (run: () => void): boolean => {
      try {
        run()
        return false
      } catch {
        return true
      }
    }
    fc.assert(
      fc.property(value, (given) => {
        assert.equal(
          throws(() => checkWellFormed(given)),
          throws(() => void canonicalJson(given)),
        )
      }),
    )
  })
})

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sortedKeys(one)]),
  )
}

describe('artifact', () => {
  const artifact: Artifact = { kind: 'plan', content: 'é', tags: ['x'], metadata: { a: 'b' } }

  it('is addressed by its content alone', () => {
    const sealed = sealArtifact('ann', artifact, 5)
    const canonical = '{"content":"é","kind":"plan","metadata":{"a":"b"},"tags":["x"]}'
    assert.deepEqual(sealed, {
      owner: 'ann',
      id: `sha256:${createHash('sha256').update(canonical).digest('hex')}`,
      artifact,
      created_at: 5,
      size_bytes: Buffer.byteLength(canonical),
    })
    assert.equal(sealArtifact('bob', reordered(artifact) as Artifact, 6).id, sealed.id)
    assert.notEqual(sealArtifact('ann', { ...artifact, content: 'e' }, 5).id, sealed.id)
  })

  it('with a large content is sealed in pieces, as it is in one', () => {
    const unit = fc.constantFrom('a', '"', '\n', 'é', '🦢')
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 9 }), fc.integer({ min: 0, max: 60_000 }), (text, begin) => {
        const content = 'x'.repeat(begin % 7) + text.repeat(Math.ceil(begin / text.length))
        const large = { ...artifact, content, parent: `sha256:${'1'.repeat(64)}` }
        const canonical = canonicalJson(large)
        const { id, size_bytes } = sealArtifact('ann', large, 5)
        assert.equal(id, `sha256:${createHash('sha256').update(canonical).digest('hex')}`)
        assert.equal(size_bytes, Buffer.byteLength(canonical))
      }),
    )
    for (const content of ['\ud800'.padStart(20_000), '\udfff'.padEnd(20_000)])
      assert.throws(() => sealArtifact('ann', { ...artifact, content }, 5), DomainError)
  })

  it('is referred to without its content', () => {
    const sealed = sealArtifact('ann', { ...artifact, parent: `sha256:${'1'.repeat(64)}` }, Date.UTC(2026, 0, 1))
    const { id, size_bytes } = sealed
    assert.deepEqual(artifactRef(sealed), {
      id,
      kind: 'plan',
      tags: ['x'],
      parent: `sha256:${'1'.repeat(64)}`,
      created_at: '2026-01-01T00:00:00.000Z',
      size_bytes,
    })
    assert.equal('parent' in artifactRef(sealArtifact('ann', artifact, 5)), false)
  })
})
