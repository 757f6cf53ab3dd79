import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { engines } from '../../generated/engines.ts'
import { mockPool, talesPool } from '../harness/daemon.ts'
import { modelsDir } from '../harness/process.ts'
import { ConfigDir, type Given } from './config.kit.ts'

const engineNames = Object.keys(engines).join(', ')

describe('a configuration that cannot be used is refused with a line for each problem', () => {
  let dir: ConfigDir
  beforeEach(() => {
    dir = new ConfigDir()
  })
  afterEach(() => dir.remove())

  const refused = (what: string, config: Given, ...lines: string[]): void => {
    it(what, () => assert.deepEqual(dir.refusalAnywhere(config), lines))
  }

  refused('an unknown key', { modles_dir: 'models' }, 'FILE: modles_dir: is not known here; did you mean models_dir?')
  refused('an unknown key that is like none', { cors: { sites: [] } }, 'FILE: cors.sites: is not known here; known are origins')
  refused(
    'an unknown key of a pool',
    { pools: [mockPool(), mockPool({ id: 'b', queue: { capacty: 1 } })] },
    'FILE: pools[1].queue.capacty: is not known here; did you mean capacity?',
  )
  refused(
    'an option of another engine',
    { pools: [mockPool({ llamacpp: {} })] },
    'FILE: pools[0].llamacpp: is not known here; known are id, engine, driver, model, ctx, max_tokens_out, sampler_profile_version, replicas, queue, timeouts, prices, mock',
  )
  refused(
    'a bad value',
    { pools: [mockPool({ queue: { full_policy: 'drop-lur' } })] },
    'FILE: pools[0].queue.full_policy: "drop-lur" is not allowed; allowed are reject, drop-lru; did you mean drop-lru?',
  )
  refused('a value of the wrong type', { shutdown_grace_ms: '8k' }, 'FILE: shutdown_grace_ms: "8k" must be integer')
  refused('a number out of bounds', { limits: { body_bytes: 1 } }, 'FILE: limits.body_bytes: 1 must be >= 1024')
  refused(
    'an unknown engine',
    { pools: [mockPool({ engine: 'lamacpp' })] },
    `FILE: pools[0].engine: "lamacpp" is not an engine; allowed are ${engineNames}; did you mean llamacpp?`,
  )
  refused('no engine', { pools: [{ id: 'a', model: 'mock:v1', ctx: 8 }] }, `FILE: pools[0].engine: is missing; allowed are ${engineNames}`)
  refused(
    'a misspelt engine key',
    { pools: [{ id: 'a', engin: 'mock', model: 'mock:v1', ctx: 8 }] },
    `FILE: pools[0].engine: is missing; allowed are ${engineNames}; did you mean it by engin?`,
  )
  refused(
    'a misspelt key that is needed',
    { pools: [mockPool({ id: undefined, idd: 'a' })] },
    'FILE: pools[0].id: is missing; did you mean it by idd?',
    'FILE: pools[0].idd: is not known here; did you mean id?',
  )
  refused(
    'a driver of another engine',
    { pools: [talesPool({ driver: 'in-process' })] },
    'FILE: pools[0].driver: "in-process" is not a driver of llamacpp; allowed are embedded, external, managed',
  )
  refused('a pool without a model', { pools: [mockPool({ model: undefined })] }, 'FILE: pools[0].model: is missing')
  refused(
    'an address without a port',
    { listen: '127.0.0.1' },
    'FILE: listen: "127.0.0.1" must match ^(\\[[0-9a-fA-F:.]+\\]|[^:\\s]+):[0-9]{1,5}$, as 127.0.0.1:8080 does',
  )
  refused('a port that does not exist', { listen: '127.0.0.1:70000' }, 'FILE: listen: "127.0.0.1:70000" has a port above 65535')
  refused(
    'no key on a public address',
    { listen: '0.0.0.0:0', auth: { require_api_key: false } },
    'FILE: auth.require_api_key: false needs listen on a loopback address such as 127.0.0.1:8080, not 0.0.0.0:0',
  )
  refused('two pools of one id', { pools: [mockPool(), mockPool()] }, 'FILE: pools[1].id: "mock" is used twice')
  refused(
    'two replicas of one id',
    { pools: [mockPool({ replicas: [{ id: 'a' }, { id: 'a' }] })] },
    'FILE: pools[0].replicas[1].id: "a" is used twice',
  )
  refused(
    'as many tokens as the context has',
    { pools: [mockPool({ ctx: 8, max_tokens_out: 8 })] },
    'FILE: pools[0].max_tokens_out: 8 must be less than ctx (8)',
  )
  refused(
    'a model file that is not there',
    { pools: [talesPool({ model: 'file:models/nothing.gguf' })] },
    `FILE: pools[0].model: there is no file nothing.gguf below models_dir (${modelsDir})`,
  )
  for (const [what, model] of [
    ['a model outside of models_dir', '../package.json'],
    ['a model outside of models_dir by an absolute path', '/etc/hosts'],
  ] as const)
    refused(
      what,
      { pools: [talesPool({ model: `file:${model}` })] },
      `FILE: pools[0].model: ${model} is not below models_dir (${modelsDir})`,
    )
  refused(
    'a directory as a model',
    { pools: [talesPool({ model: 'file:.' })] },
    `FILE: pools[0].model: there is no file . below models_dir (${modelsDir})`,
  )
  refused(
    'a reference that the engine cannot serve',
    { pools: [talesPool({ model: 'mock:v1' })] },
    'FILE: pools[0].model: "mock:v1" is nothing that llamacpp serves by driver embedded; a reference begins with file: or catalog:',
  )
  refused(
    'a catalog reference without an id',
    { pools: [talesPool({ model: 'catalog:../x' })] },
    'FILE: pools[0].model: "catalog:../x" names no model; after catalog: comes the id of a catalog model',
  )
  refused(
    'a key twice',
    { auth: { keys: [0, 1].map((n) => ({ name: `k${n}`, key_sha256: '0'.repeat(64), roles: ['data'] })) } },
    'FILE: auth.keys[1].key_sha256: another name has the same key',
  )
  refused(
    'keys in the wrong place, without showing them',
    { auth: { keys: ['ann:secret', { 'bob:secret': null }, { name: 'eve', key_sha256: 'secret', roles: ['data'], key: 'secret' }] } },
    'FILE: auth.keys[0]: must be a mapping',
    'FILE: auth.keys[1].name: is missing',
    'FILE: auth.keys[1].key_sha256: is missing',
    'FILE: auth.keys[1].roles: is missing',
    'FILE: auth.keys[1]: has a key that is not known here; known are name, key_sha256, roles, limits',
    'FILE: auth.keys[2].key_sha256: must match ^[0-9a-f]{64}$',
    'FILE: auth.keys[2].key: is not known here; known are name, key_sha256, roles, limits',
  )
  refused(
    'a section that is a secret',
    { auth: 'secret', catalog: 'secret' },
    'FILE: auth: must be a mapping',
    'FILE: catalog: must be a mapping',
  )
  refused(
    'credentials in a URL',
    { catalog: { hf_endpoint: 'https://me:secret@hub' } },
    'FILE: catalog.hf_endpoint: "https://...@hub" must match ^https?://[^/?#@\\s]+$, as https://huggingface.co does',
  )

  it('a model that a symbolic link leads out of models_dir', () => {
    const models_dir = join(dir.dir.path, 'models')
    mkdirSync(models_dir)
    symlinkSync(join(modelsDir, 'tinytales.gguf'), join(models_dir, 'tinytales.gguf'))
    assert.match(dir.refusalAnywhere({ models_dir, pools: [talesPool()] }).join('\n'), /^FILE: pools\[0\]\.model: .*models_dir/)
  })

  it('but not one that a symbolic link leads to inside of it', () => {
    const models_dir = join(dir.dir.path, 'models')
    mkdirSync(models_dir)
    copyFileSync(join(modelsDir, 'tinytales.gguf'), join(models_dir, 'real.gguf'))
    symlinkSync('real.gguf', join(models_dir, 'tinytales.gguf'))
    assert.equal(dir.load({ models_dir, pools: [talesPool()] }).models_dir, models_dir)
  })
})
