import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigDir, type Given } from './config.kit.ts'

describe('a refused configuration: file, environment, order', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  const refused = (what: string, config: Given, ...lines: string[]): void => {
    it(what, () => assert.deepEqual(dir.refusalAnywhere(config), lines))
  }

  refused('pools that are null', 'pools:\n', 'FILE: pools: null must be a list')
  refused('a file that is not a mapping', '- listen\n', 'FILE: the file must be a mapping of keys to values')
  refused('YAML with a tab as indentation', 'auth:\n\trequire_api_key: true\n', 'FILE: Tabs are not allowed as indentation')
  refused('YAML with the same key twice', 'log_level: info\nlog_level: debug\n', 'FILE: Map keys must be unique')
  refused(
    'YAML with an alias of nothing',
    'listen: *nowhere\n',
    'FILE: Unresolved alias (the anchor must be set before the alias): nowhere',
  )
  it('a file that is not YAML', () => assert.match(dir.refusalAnywhere('pools: [\n  - {')[0]!, /^FILE: /))

  it('an unknown variable', () => {
    assert.deepEqual(dir.refusalAnywhere({}, { ORCHD_ADR: '1' }), ['ORCHD_ADR: is not known; did you mean ORCHD_ADDR?'])
    const known = 'ORCHD_ADDR, ORCHD_DATA_DIR, ORCHD_LOG_LEVEL, ORCHD_HF_TOKEN, ORCHD_ENGINES, ORCHD_API_KEYS'
    assert.deepEqual(dir.refusalAnywhere({}, { ORCHD_PORT: '1' }), [`ORCHD_PORT: is not known; known are ${known}`])
  })
  it('a bad value of a variable, which is named as the source', () =>
    assert.deepEqual(dir.refusalAnywhere({ log_level: 'info' }, { ORCHD_LOG_LEVEL: 'deubg' }), [
      'ORCHD_LOG_LEVEL: log_level: "deubg" is not allowed; allowed are fatal, error, warn, info, debug, trace, silent; did you mean debug?',
    ]))
  it('a token of a variable, without showing it', () =>
    assert.deepEqual(dir.refusalAnywhere({}, { ORCHD_HF_TOKEN: 'a secret' }), [
      'ORCHD_HF_TOKEN: catalog.hf_token: must match ^[\\x21-\\x7e]{1,1024}$',
    ]))
  it('keys of the wrong form, without showing them', () => {
    for (const keys of ['a:secret-1,secret-2', 'a:x,/secret:y', 'a:x,b:', 'a:x, :secret'])
      assert.deepEqual(dir.refusalAnywhere({}, { ORCHD_API_KEYS: keys }), ['ORCHD_API_KEYS: entry 2 is not of the form name:key'], keys)
  })
  it('a key that no header can carry, without showing it', () => {
    const says = 'ORCHD_API_KEYS: entry 2 has a key that no header can carry; use 1 to 4096 visible ASCII characters without spaces'
    for (const key of ['sécret', 'secret \u{1f511}', 'two secrets', 'secret\ttab', `secret${'s'.repeat(4096)}`])
      assert.deepEqual(dir.refusalAnywhere({}, { ORCHD_API_KEYS: `a:x,b:${key}` }), [says], key)
    assert.equal(dir.load({}, { ORCHD_API_KEYS: ` a: x , b:!~,c:${'k'.repeat(4096)}` }).auth.keys.length, 3)
  })
  it('the digest of an empty key', () => {
    const keys = [{ name: 'ann', key_sha256: createHash('sha256').digest('hex'), roles: ['data'] }]
    assert.deepEqual(dir.refusalAnywhere({ auth: { keys } }), [
      'FILE: auth.keys[0].key_sha256: is the digest of an empty key, which no header can carry; hash the key itself',
    ])
  })
  it('a YAML <<, by name and line, whatever version the file says it is', () => {
    const says = '<<: merge keys are not taken; write out what they would bring'
    const merging = 'defaults: &usual\n  deadline_ms: 5\nlimits:\n  <<: *usual\n'
    assert.deepEqual(dir.refusal(merging), [`FILE:4: ${says}`])
    assert.deepEqual(dir.refusal(`%YAML 1.1\n---\n${merging}`), [`FILE:6: ${says}`])
    assert.deepEqual(dir.refusal('<<: {}\npools:\n- { <<: [], id: a }\n'), [`FILE:1: ${says}`, `FILE:3: ${says}`])
  })
  it('but not what Kubernetes says of a Service called orchd, or whose name begins so', () => {
    const of = (name: string, port: string): Record<string, string> => ({
      [`${name}_SERVICE_HOST`]: '10.0.0.11',
      [`${name}_SERVICE_PORT`]: '8080',
      [`${name}_SERVICE_PORT_HTTP`]: '8080',
      [`${name}_PORT`]: `${port}://10.0.0.11:8080`,
      [`${name}_PORT_8080_${port.toUpperCase()}`]: `${port}://10.0.0.11:8080`,
      [`${name}_PORT_8080_${port.toUpperCase()}_PROTO`]: port,
      [`${name}_PORT_8080_${port.toUpperCase()}_PORT`]: '8080',
      [`${name}_PORT_8080_${port.toUpperCase()}_ADDR`]: '10.0.0.11',
    })
    for (const env of [of('ORCHD', 'tcp'), of('ORCHD_DATA', 'udp'), of('ORCHD_LOG_LEVEL', 'sctp')])
      assert.equal(dir.load({}, env).log_level, 'silent')
    assert.equal(dir.refusalAnywhere({}, { ORCHD_PORT_HTTP: '1' }).length, 1)
  })
  it('a file that is not there', () =>
    assert.throws(() => loadConfig('/elsewhere.yaml', {}), { name: 'ConfigError', message: /^\/elsewhere\.yaml: cannot be read: [^\n]+$/ }))
  it('all of it at once, in the order of the file, with its lines', () => {
    const text = `
log_level: info
porst: 1
pools:
  - &pool
    id: tales
    engine: llamacpp
    driver: embeded
    model: file:models/tinytales.gguf
    ctx: 8k
  - *pool
  - { id: mock, engine: mock, driver: in-process,
      model: file:x, ctx: 8 }
`
    assert.deepEqual(dir.refusal(text, { ORCHD_ADDR: '1.2.3.4:99999', ORCHD_PORT: '1' }), [
      'ORCHD_PORT: is not known; known are ORCHD_ADDR, ORCHD_DATA_DIR, ORCHD_LOG_LEVEL, ORCHD_HF_TOKEN, ORCHD_ENGINES, ORCHD_API_KEYS',
      'ORCHD_ADDR: listen: "1.2.3.4:99999" has a port above 65535',
      'FILE:3: porst: is not known here; known are listen, data_dir, models_dir, log_level, auth, cors, limits, doors, sessions, retention, catalog, devices, defaults, shutdown_grace_ms, keep_alive_ms, groups, pools, models',
      'FILE:6: pools[1].id: "tales" is used twice',
      'FILE:8: pools[0].driver: "embeded" is not a driver of llamacpp; allowed are embedded, external, managed; did you mean embedded?',
      'FILE:8: pools[1].driver: "embeded" is not a driver of llamacpp; allowed are embedded, external, managed; did you mean embedded?',
      'FILE:10: pools[0].ctx: "8k" must be integer',
      'FILE:10: pools[1].ctx: "8k" must be integer',
      'FILE:13: pools[2].model: "file:x" is nothing that mock serves by driver in-process; a reference begins with mock:',
    ])
  })

  it('but not a file with nothing in it, nor one that a variable makes right', () => {
    assert.equal(dir.load('# nothing yet\n', { ORCHD_DATA_DIR: ':memory:' }).data_dir, ':memory:')
    const config = dir.load({ listen: 'nonsense' }, { ORCHD_ADDR: '127.0.0.1:0', ORCHD_API_KEYS: 'a:one,b:two' })
    assert.equal(config.listen, '127.0.0.1:0')
    assert.deepEqual(
      config.auth.keys.map(({ name }) => name),
      ['a', 'b'],
    )
  })
})
