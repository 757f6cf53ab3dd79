import assert from 'node:assert/strict'
import { serverKeys } from '../../src/config/config.ts'
import { mockPool } from '../harness/daemon.ts'
import { ConfigDir } from './config.kit.ts'

describe('a pool whose engine is a server', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  const box = { id: 'box', engine: 'openai', url: 'http://127.0.0.1:8081' }

  it('is whole with an id, an engine and a URL', () => {
    const [pool] = dir.load({ pools: [box] }).pools
    assert.ok(pool?.engine === 'openai')
    assert.deepEqual([pool.driver, pool.model, pool.ctx, pool.replayable], ['external', 'served:box', undefined, 'probe'])
    assert.deepEqual(pool.replicas, [{ id: 'r0', devices: [] }])
  })

  it('may have a URL and a key for each replica; the keys come from the environment', () => {
    const replicas = [
      { id: 'a', url: 'http://127.0.0.1:1' },
      { id: 'b', url: 'http://127.0.0.1:2', api_key_env: 'KEY_B' },
    ]
    const env = { KEY_A: 'secret-a', KEY_B: 'secret-b', OTHER: 'secret-c' }
    const config = dir.load({ pools: [{ id: 'rack', engine: 'openai', model: 'openai:m', api_key_env: 'KEY_A', replicas }] }, env)
    assert.deepEqual(
      serverKeys(config, env),
      new Map([
        ['KEY_A', 'secret-a'],
        ['KEY_B', 'secret-b'],
      ]),
    )
    assert.doesNotMatch(JSON.stringify(config), /secret/)
  })

  it('is refused without a URL, with one twice, with one that is none, and where it takes none', () => {
    const lines = dir.refusalAnywhere({
      pools: [
        { ...box, url: undefined, driver: 'external', model: 'served:x' },
        { ...box, id: 'b', replicas: [{ id: 'r0' }, { id: 'r1' }] },
        { ...box, id: 'c', url: 'ftp://x' },
        { ...box, id: 'd', url: 'http://x:99999' },
        mockPool({ replicas: [{ id: 'r0', url: 'http://127.0.0.1:1' }] }),
        mockPool({ id: 'm', url: 'http://127.0.0.1:1' }),
        { ...box, id: 'e', url: 'http://user:secret@host/' },
      ],
    })
    assert.deepEqual(lines, [
      'FILE: pools[0].replicas[0].url: is missing; the pool has none either',
      'FILE: pools[1].replicas[1].url: "http://127.0.0.1:8081" is used twice',
      'FILE: pools[2].url: "ftp://x" must match ^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$, as http://127.0.0.1:8081 does',
      'FILE: pools[3].replicas[0].url: "http://x:99999" is not a URL',
      'FILE: pools[4].replicas[0].url: driver in-process of mock takes none',
      'FILE: pools[5].url: is not known here; known are id, engine, driver, model, ctx, max_tokens_out, sampler_profile_version, replicas, queue, timeouts, prices, mock',
      'FILE: pools[6].url: "http://...@host/" must match ^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$, as http://127.0.0.1:8081 does',
    ])
  })

  it('is refused where the variable of its key is not set or holds no key', () => {
    const pools = [
      { ...box, api_key_env: 'KEY_A' },
      { ...box, id: 'b', api_key_env: 'KEY_B' },
      { ...box, id: 'c', api_key_env: 'ORCHD_KEY' },
    ]
    assert.deepEqual(dir.refusalAnywhere({ pools }, { KEY_B: 'secret\nkey' }), [
      'FILE: pools[0].api_key_env: the variable KEY_A is not set',
      'FILE: pools[1].api_key_env: the variable KEY_B holds no key that can be sent',
      'FILE: pools[2].api_key_env: "ORCHD_KEY" must match ^(?!ORCHD_)[A-Za-z_][A-Za-z0-9_]{0,127}$, as CLOUD_KEY does',
    ])
  })
})
