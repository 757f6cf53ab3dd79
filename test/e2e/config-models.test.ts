import assert from 'node:assert/strict'
import { mockPool } from '../harness/daemon.ts'
import { ConfigDir, type Given } from './config.kit.ts'

const pools = [mockPool({ id: 'rack' }), mockPool({ id: 'box' }), mockPool({ id: 'cloud' })]
const coder = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({ name: 'coder', pools: ['rack', 'box'], ...fields })
const key = (name: string, models: readonly unknown[]): Record<string, unknown> => ({
  name,
  key_sha256: (name === 'ann' ? '0' : '1').repeat(64),
  roles: ['data'],
  limits: { models },
})

describe('names of models in the configuration', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  it('are taken with what they leave out', () => {
    const defaults = { max_tokens: 100, priority: 'batch', deadline_ms: 5000, sampling: { temperature: 0.2 } }
    const { models } = dir.load({
      pools,
      models: [coder({ aliases: ['gpt-4o-mini', 'claude-*'], fallback: ['cloud'], defaults }), coder({ name: 'org/other:7b' })],
    })
    assert.deepEqual(models, [
      { name: 'coder', aliases: ['gpt-4o-mini', 'claude-*'], pools: ['rack', 'box'], fallback: ['cloud'], defaults },
      { name: 'org/other:7b', aliases: [], pools: ['rack', 'box'], fallback: [], defaults: {} },
    ])
    assert.deepEqual(dir.load({ pools }).models, [])
  })

  const refused = (what: string, given: Given, ...lines: string[]): void => {
    it(what, () => assert.deepEqual(dir.refusalAnywhere(typeof given === 'string' ? given : { pools, ...given }), lines))
  }

  refused(
    'are refused where a name is used twice',
    { models: [coder(), coder()] },
    'FILE: models[1].name: "coder" is used twice; it is models[0].name as well',
  )
  refused(
    'are refused where an alias is a name, or an alias of another',
    { models: [coder({ aliases: ['fast', 'claude-*', 'claude-*'] }), coder({ name: 'fast', aliases: ['coder', 'claude-*'] })] },
    'FILE: models[0].aliases[2]: "claude-*" is used twice; it is models[0].aliases[1] as well',
    'FILE: models[1].name: "fast" is used twice; it is models[0].aliases[0] as well',
    'FILE: models[1].aliases[0]: "coder" is used twice; it is models[0].name as well',
    'FILE: models[1].aliases[1]: "claude-*" is used twice; it is models[0].aliases[1] as well',
  )
  refused(
    'are refused where there is no such pool',
    { models: [coder({ pools: ['rakc', 'nothing-like-it'], fallback: ['clud'] })] },
    'FILE: models[0].pools[0]: "rakc" is no pool; did you mean rack?',
    'FILE: models[0].pools[1]: "nothing-like-it" is no pool; known are rack, box, cloud',
    'FILE: models[0].fallback[0]: "clud" is no pool; did you mean cloud?',
  )
  refused(
    'are refused without a pool',
    { models: [coder({ pools: [] }), { name: 'none' }] },
    'FILE: models[0].pools: needs at least 1 of what it lists',
    'FILE: models[1].pools: is missing',
  )
  refused(
    'are refused where a pool has two places',
    { models: [coder({ pools: ['rack', 'box', 'rack'], fallback: ['box'] })] },
    'FILE: models[0].pools[2]: "rack" is models[0].pools[0] as well; a pool of a model is in pools or in fallback, once',
    'FILE: models[0].fallback[0]: "box" is models[0].pools[1] as well; a pool of a model is in pools or in fallback, once',
  )
  refused(
    'are refused where a name is a wildcard, or no name',
    { models: [coder({ name: 'code*', aliases: ['a b'] })] },
    'FILE: models[0].name: "code*" must match ^[^\\s*]+$, as coder does',
    'FILE: models[0].aliases[0]: "a b" must match ^\\S+$, as claude-* does',
  )
  refused(
    'are refused with defaults that no task can have',
    { models: [coder({ defaults: { max_token: 5, priority: 'high', deadline_ms: 0, sampling: { temperature: 9, stop: ['x'] } } })] },
    'FILE: models[0].defaults.max_token: is not known here; did you mean max_tokens?',
    'FILE: models[0].defaults.priority: "high" is not allowed; allowed are interactive, batch',
    'FILE: models[0].defaults.deadline_ms: 0 must be >= 1',
    'FILE: models[0].defaults.sampling.temperature: 9 must be <= 5',
    'FILE: models[0].defaults.sampling.stop: is not known here; known are temperature, top_p, top_k, min_p, repeat_penalty',
  )
  refused(
    'hold the limits of keys: each is a model, or may be one',
    {
      models: [coder({ aliases: ['claude-*'] })],
      auth: { keys: [key('ann', ['codr', 'coder', 'claude-opus-4', 'gpt-*']), key('bob', [])] },
    },
    'FILE: auth.keys[0].limits.models[0]: "codr" is no model; did you mean coder?',
    'FILE: auth.keys[1].limits.models: needs at least 1 of what it lists',
  )
  it('leave the limits of keys alone where the pools have names by themselves, which servers may tell', () => {
    dir.load({ pools, auth: { keys: [key('ann', ['llama3'])] } })
  })
  it('are refused with all that is wrong at once, each with its line', () => {
    const text = [
      'pools:',
      '  - { id: rack, engine: mock, driver: in-process, model: mock:v1, ctx: 64 }',
      'models:',
      '  - name: coder',
      '    pools: [rack]',
    ]
    const more = ['    fallback: [rack]', '  - name: fast', '    aliases: [coder]', '    pools:', '      - rakc', '']
    assert.deepEqual(dir.refusal([...text, ...more].join('\n')), [
      'FILE:6: models[0].fallback[0]: "rack" is models[0].pools[0] as well; a pool of a model is in pools or in fallback, once',
      'FILE:8: models[1].aliases[0]: "coder" is used twice; it is models[0].name as well',
      'FILE:10: models[1].pools[0]: "rakc" is no pool; did you mean rack?',
    ])
  })
  it('say nothing of pools where a pool has no sound id', () => {
    const lines = dir.refusalAnywhere({ pools: [mockPool({ id: 'Rack' })], models: [coder()] })
    assert.deepEqual(
      lines.map((line) => line.split(':')[1]),
      [' pools[0].id'],
    )
  })
})
