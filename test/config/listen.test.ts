import assert from 'node:assert/strict'
import { ConfigError } from '../../src/config/config.ts'
import { listensOnLoopback, splitListen } from '../../src/config/listen.ts'
import { loadConfig } from '../../src/config/load.ts'

describe('the address to listen on', () => {
  it('is a host and a port, also of IPv6', () => {
    assert.deepEqual(splitListen('localhost:80'), { host: 'localhost', port: 80 })
    assert.deepEqual(splitListen('[::1]:8080'), { host: '::1', port: 8080 })
    const loopback = ['127.0.0.1:1', 'localhost:1', '[::1]:1', '0.0.0.0:1', '[::]:1'].map(listensOnLoopback)
    assert.deepEqual(loopback, [true, true, true, false, false])
  })
})

describe('the default configuration', () => {
  it('leaves out what cannot run here, and is refused where nothing can', () => {
    const broken = (from: number) => (config: { readonly pools: readonly unknown[] }) =>
      config.pools.slice(from).map((_, i) => ({ path: ['pools', from + i, 'driver'], says: 'cannot run' }))
    const env = { ORCHD_LOG_LEVEL: 'info' }
    const { config, left_out } = loadConfig(undefined, env, [], broken(1))
    assert.equal(config.pools.length, 1)
    assert.ok(left_out.length > 0)
    assert.throws(() => loadConfig(undefined, env, [], broken(0)), ConfigError)
  })
})
