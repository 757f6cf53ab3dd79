import assert from 'node:assert/strict'
import fc from 'fast-check'
import { checkConfig, ConfigError } from '../../src/config/config.ts'
import { valueText } from '../../src/config/problem.ts'

/** What is wrong with a configuration, a line each. */
function problems(config: Record<string, unknown>): string[] {
  try {
    checkConfig(config)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message.split('\n')
  }
  return []
}

const secret = 'sEcReT.0'
const leaf = fc.oneof(fc.constant(secret), fc.integer(), fc.boolean(), fc.constant(null))
const name = fc.constantFrom('name', 'key_sha256', 'roles', 'limits', 'keys', 'key', 'require_api_key', 'budgets', `ann:${secret}`)
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(name, tie('anything'), { maxKeys: 4 }),
  ),
}))

describe('messages of a refused configuration', () => {
  it('show nothing of a key, whatever is wrong with it', () => {
    // Names and roles are no secrets: what is given for one may be shown.
    const shown = /^auth\.(keys\[\d+\]\.(name|roles|limits)|require_api_key)/
    fc.assert(
      fc.property(anything, (auth) => {
        for (const line of problems({ auth })) if (!shown.test(line)) assert.ok(!line.includes(secret), line)
      }),
    )
  })

  it('show nothing of a token', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.record({ hf_token: anything })), (catalog) => {
        for (const line of problems({ catalog: catalog })) assert.ok(!line.includes(secret), line)
      }),
    )
  })

  it('are one line for each place, whatever is given', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('listen', 'auth', 'catalog', 'pools', 'limits', 'line\nbreak'), fc.anything()),
        (config) => {
          const lines = problems(config)
          for (const line of lines) assert.match(line, /^[^:]+: ./)
          const places = lines.map((line) => line.replace(/: .*$/, ''))
          assert.equal(new Set(places).size, places.length, lines.join('\n'))
        },
      ),
    )
  })

  it('tell where a mapping, a list and nothing stand, and cut a long text', () => {
    assert.deepEqual(problems({ cors: [], limits: null, pools: {} }), [
      'cors: a list must be a mapping',
      'limits: null must be a mapping',
      'pools: a mapping must be a list',
    ])
    assert.equal(valueText('x'.repeat(100)), `"${'x'.repeat(79)}...`)
    assert.equal(valueText('https://me:pass/word@host/path'), '"https://...@host/path"')
  })
})
