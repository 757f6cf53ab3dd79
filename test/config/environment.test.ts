import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readEnvironment, withSettings } from '../../src/config/environment.ts'

describe('keys of the environment', () => {
  const read = (ORCHD_API_KEYS: string) => readEnvironment({ ORCHD_API_KEYS })

  it('are names and keys divided by commas, with or without blanks around them', () => {
    const keyOf = (name: string, key: string): object => ({
      ...{ name, key_sha256: createHash('sha256').update(key).digest('hex'), roles: ['data', 'control'] },
    })
    const value = [keyOf('ann', 'secret'), keyOf('bob', 'a:b')]
    for (const text of ['ann:secret,bob:a:b', ' ann:secret , bob:a:b ', 'ann: secret,bob: a:b'])
      assert.deepEqual(read(text), { settings: [{ variable: 'ORCHD_API_KEYS', path: ['auth', 'keys'], value }], problems: [] })
  })

  it('are refused by their place, which tells nothing of them', () => {
    for (const [text, problem] of [
      ['ann:secret,secret', /^ORCHD_API_KEYS: entry 2 is not of the form name:key$/],
      ['ann: ', /entry 1 is not of the form/],
      ['ann:two words', /entry 1 has a key that no header can carry/],
    ] as const) {
      const { settings, problems } = read(text)
      assert.deepEqual([settings, problems.length], [[], 1])
      assert.match(problems[0] ?? '', problem)
      assert.doesNotMatch(problems[0] ?? '', /secret|words/)
    }
  })
})

describe('the settings of the environment in a configuration', () => {
  it('change a copy of it, and leave what is no mapping to be refused', () => {
    const given = { auth: { keys: [], other: 1 } }
    const settings = [
      { variable: 'A', path: ['auth', 'keys'], value: ['k'] },
      { variable: 'B', path: ['catalog', 'hf_token'], value: 't' },
    ]
    assert.deepEqual(withSettings(given, settings), { auth: { keys: ['k'], other: 1 }, catalog: { hf_token: 't' } })
    assert.deepEqual(given, { auth: { keys: [], other: 1 } })
    for (const auth of [['a'], 'a', 1]) assert.deepEqual(withSettings({ auth }, settings.slice(0, 1)), { auth })
  })
})
