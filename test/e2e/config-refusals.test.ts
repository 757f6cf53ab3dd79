import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { daemonOf } from '../../src/compose/daemon.ts'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { mockPool, talesPool } from '../harness/daemon.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'

describe('a configuration that cannot be used is refused in one line that names the place', () => {
  let dir: ReturnType<typeof temporaryDir>
  beforeEach(() => {
    dir = temporaryDir()
  })
  afterEach(() => dir.remove())

  /** Composes the daemon from a file; nothing is started. */
  async function composed(config: Readonly<Record<string, unknown>> | string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const file = join(dir.path, 'orchestratord.yaml')
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify({ data_dir: ':memory:', models_dir: modelsDir, ...config }))
    const daemon = await daemonOf({ ...loadConfig(['--config', file], env), log_level: 'silent' })
    await daemon.quiesce()
    await daemon.close()
  }

  async function refused(composing: Promise<void>, ...says: string[]): Promise<void> {
    const error = await composing.then(
      () => assert.fail('it was taken'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ConfigError, String(error))
    assert.match(error.message, /^[^\n]+$/)
    assert.doesNotMatch(error.message, /secret/)
    for (const what of says) assert.ok(error.message.includes(what), `${what}: ${error.message}`)
  }

  const withConfig = (what: string, config: Readonly<Record<string, unknown>> | string, ...says: string[]): void => {
    it(what, () => refused(composed(config), ...says))
  }

  withConfig('an unknown key', { porst: 1 }, 'porst')
  withConfig('an unknown key of a pool', { pools: [mockPool(), mockPool({ id: 'b', speed: 1 })] }, 'pools.1', 'speed')
  withConfig('a bad value', { pools: [mockPool({ queue: { full_policy: 'drop' } })] }, 'pools.0.queue.full_policy', 'reject, drop-lru')
  withConfig('a value of the wrong type', { shutdown_grace_ms: 'long' }, 'shutdown_grace_ms', 'integer')
  withConfig('an unknown driver', { pools: [mockPool({ driver: 'remote' })] }, 'pools.0.driver', 'in-process, embedded')
  withConfig('a port that does not exist', { listen: '127.0.0.1:70000' }, 'listen')
  withConfig(
    'no key on a public address',
    { listen: '0.0.0.0:0', auth: { require_api_key: false } },
    'auth.require_api_key',
    '127.0.0.1',
    '0.0.0.0:0',
  )
  withConfig('two pools of one id', { pools: [mockPool(), mockPool()] }, 'pools.1.id', 'mock is used twice')
  withConfig(
    'two replicas of one id',
    { pools: [mockPool({ replicas: [{ id: 'a' }, { id: 'a' }] })] },
    'pools.0.replicas.1.id',
    'a is used twice',
  )
  withConfig(
    'a model file that is not there',
    { pools: [talesPool({ model: 'file:models/nothing.gguf' })] },
    'pools.tales.model',
    'nothing.gguf',
  )
  withConfig('a model outside of models_dir', { pools: [talesPool({ model: 'file:../package.json' })] }, 'pools.tales.model', 'models_dir')
  withConfig(
    'a model outside of models_dir by an absolute path',
    { pools: [talesPool({ model: 'file:/etc/hosts' })] },
    'pools.tales.model',
    'models_dir',
  )
  withConfig('a directory as a model', { pools: [talesPool({ model: 'file:.' })] }, 'pools.tales.model')
  withConfig('a mock reference for the embedded engine', { pools: [talesPool({ model: 'mock:v1' })] }, 'pools.0.model', 'file:')
  withConfig('a file that is not YAML', 'pools: [\n  - {', 'orchestratord.yaml')
  withConfig('YAML with a tab as indentation', 'auth:\n\trequire_api_key: true\n', 'orchestratord.yaml')
  withConfig('YAML with an alias of nothing', 'listen: *nowhere\n', 'orchestratord.yaml', 'nowhere')
  withConfig('a file that is not a mapping', '- listen\n', 'orchestratord.yaml', 'mapping')
  withConfig('YAML with the same key twice', 'log_level: info\nlog_level: debug\n', 'orchestratord.yaml', 'unique')
  withConfig('pools that are null', 'pools:\n', 'pools')
  withConfig(
    'a key twice',
    { auth: { keys: [0, 1].map((n) => ({ name: `k${n}`, key_sha256: '0'.repeat(64), roles: ['data'] })) } },
    'auth.keys.1.key_sha256',
  )

  it('an unknown variable', () => refused(composed({}, { ORCHD_PORT: '1' }), 'ORCHD_PORT', 'ORCHD_ADDR'))
  it('a bad value of a variable', () => refused(composed({}, { ORCHD_LOG_LEVEL: 'loud' }), 'log_level', 'debug'))
  it('a bad address', () => refused(composed({}, { ORCHD_ADDR: '8080' }), 'listen'))
  it('keys of the wrong form, without showing them', () =>
    refused(composed({}, { ORCHD_API_KEYS: 'a:secret-1,secret-2' }), 'ORCHD_API_KEYS: entry 2', 'name:key'))
  it('an option it does not know', () =>
    assert.throws(() => loadConfig(['--port', '1'], {}), { name: 'ConfigError', message: /--config FILE/ }))
  it('a file that is not there', () =>
    assert.throws(() => loadConfig(['--config=/elsewhere.yaml'], {}), {
      name: 'ConfigError',
      message: /^\/elsewhere\.yaml cannot be read: [^\n]+$/,
    }))

  it('a model that a symbolic link leads out of models_dir', async () => {
    const models_dir = join(dir.path, 'models')
    mkdirSync(models_dir)
    symlinkSync(join(modelsDir, 'tinytales.gguf'), join(models_dir, 'tinytales.gguf'))
    await refused(composed({ models_dir, pools: [talesPool()] }), 'pools.tales.model', 'models_dir')
  })

  it('but not one that a symbolic link leads to inside of it', async () => {
    const models_dir = join(dir.path, 'models')
    mkdirSync(models_dir)
    copyFileSync(join(modelsDir, 'tinytales.gguf'), join(models_dir, 'real.gguf'))
    symlinkSync('real.gguf', join(models_dir, 'tinytales.gguf'))
    await composed({ models_dir, pools: [talesPool()] })
  })

  it('but not a file with nothing in it, nor one that a variable makes right', async () => {
    await composed('# nothing yet\n', { ORCHD_DATA_DIR: ':memory:' })
    await composed({ listen: 'nonsense' }, { ORCHD_ADDR: '127.0.0.1:0', ORCHD_API_KEYS: 'a:one,b:two' })
  })
})
