import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mockPool } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'

const program = fileURLToPath(new URL('../../bin/orchestratord.cjs', import.meta.url))
const listModules = fileURLToPath(new URL('../fixtures/loaded.cjs', import.meta.url))

describe('the program npm start runs', () => {
  const dir = temporaryDir()
  after(() => dir.remove())
  const config = join(dir.path, 'orchestratord.yaml')
  const loaded = join(dir.path, 'loaded')
  writeFileSync(config, JSON.stringify({ listen: '127.0.0.1:0', data_dir: join(dir.path, 'data'), pools: [mockPool()] }))

  /** Starts the daemon with a mock alone and stops it once its engine is ready. Resolves with the built-in modules it loaded. */
  async function run(env: Readonly<Record<string, string>>): Promise<string[]> {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(ORCHD_|NODE_|XDG_)/.test(name))
    const child = spawn(process.execPath, ['--require', listModules, program, '--config', config], {
      env: { ...Object.fromEntries(inherited), LOADED: loaded, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    for await (const line of createInterface(child.stdout)) if (line.includes('"state":"ready"')) child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
    return readFileSync(loaded, 'utf8').split('\n')
  }

  const compiler = (modules: readonly string[]): string[] => modules.filter((name) => name.includes('amaro'))

  it('keeps what it compiles in the user’s cache folder; the next start has no compiler', async () => {
    const XDG_CACHE_HOME = join(dir.path, 'cache')
    assert.notDeepEqual(compiler(await run({ XDG_CACHE_HOME })), [])
    assert.deepEqual(readdirSync(XDG_CACHE_HOME), ['orchestratord'])
    assert.deepEqual(compiler(await run({ XDG_CACHE_HOME })), [])
  })

  it('keeps nothing where NODE_DISABLE_COMPILE_CACHE is set', async () => {
    const XDG_CACHE_HOME = join(dir.path, 'none')
    await run({ XDG_CACHE_HOME, NODE_DISABLE_COMPILE_CACHE: '1' })
    assert.equal(existsSync(XDG_CACHE_HOME), false)
  })

  it('starts where the cache folder cannot be made', async () => {
    const file = join(dir.path, 'file')
    writeFileSync(file, '')
    await run({ XDG_CACHE_HOME: file })
  })
})
