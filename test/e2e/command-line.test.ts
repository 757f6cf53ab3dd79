import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineServer, recording } from '../engines/http/engine-server.ts'
import { mockPool } from '../harness/daemon.ts'
import { temporaryDir } from '../harness/process.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const packageJson = fileURLToPath(new URL('../../package.json', import.meta.url))

describe('the command line of the daemon', () => {
  let dir: ReturnType<typeof temporaryDir>
  beforeEach(() => {
    dir = temporaryDir()
  })
  afterEach(() => dir.remove())

  interface Ended {
    readonly code: number | string | null | undefined
    readonly stdout: string
    readonly stderr: string
  }

  /** Runs the daemon until it ends by itself. */
  function run(...args: string[]): Promise<Ended> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ORCHD_')))
    return new Promise((resolve) =>
      execFile(process.execPath, [main, ...args], { cwd: dir.path, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      ),
    )
  }

  /** Writes `orchestratord.yaml`, which is read where no file is named. */
  const write = (config: object): void => writeFileSync(join(dir.path, 'orchestratord.yaml'), JSON.stringify(config))

  it('--version prints the version of the package', async () => {
    const { default: packaged } = (await import(packageJson, { with: { type: 'json' } })) as { default: { version: string } }
    assert.deepEqual(await run('--version'), { code: 0, stdout: `orchestratord ${packaged.version}\n`, stderr: '' })
  })

  it('--help prints every option, every variable and examples, whatever the configuration is', async () => {
    write({ porst: 1 })
    const { code, stdout, stderr } = await run('--help')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    for (const word of ['--config FILE', '--check', '--help', '--version', 'ORCHD_ADDR', 'ORCHD_API_KEYS', 'Examples:'])
      assert.ok(stdout.includes(word), word)
  })

  it('--check says what a configuration amounts to and starts nothing', async () => {
    write({ listen: '127.0.0.1:1', pools: [mockPool()] })
    const { code, stdout, stderr } = await run('--check')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.deepEqual(stdout.split('\n'), [
      'The configuration is fine.',
      '  listen  127.0.0.1:1',
      '  data    ./data',
      '  models  ./models',
      '  keys    none: the development key works, from this machine only',
      '  pool    mock: mock, in-process, mock:v1, 8192 tokens, 4 slots',
      '',
    ])
    assert.ok(!existsSync(join(dir.path, 'data')))
  })

  it('--check says everything that is wrong, models that are not there included', async () => {
    const tales = { id: 'tales', engine: 'llamacpp', driver: 'embedded', model: 'file:tales.gguf', ctx: 256 }
    write({ pools: [mockPool({ ctx: '8k' }), tales] })
    assert.deepEqual(await run('--check'), {
      code: 1,
      stdout: '',
      stderr: [
        'orchestratord.yaml:1: pools[0].ctx: "8k" must be integer',
        'orchestratord.yaml:1: pools[1].model: there is no file tales.gguf below models_dir (./models)',
        '',
      ].join('\n'),
    })
  })

  it('--engine serves what answers there, in place of the pools of a file', async () => {
    const server = await EngineServer.start()
    try {
      server.on('GET /props', recording('llama-server/props'))
      server.on('GET /v1/models', recording('llama-server/models'))
      write({ pools: [mockPool()] })
      const { code, stdout, stderr } = await run('--check', '--engine', server.url)
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      assert.deepEqual(stdout.match(/^ {2}pool .*/gm), [
        '  pool    tinytales: llamacpp, external, llamacpp:tinytales, slots as the engine has them',
      ])
    } finally {
      await server.stop()
    }
  })

  it('an option it does not know is refused', async () => {
    const { code, stdout, stderr } = await run('--chek')
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    assert.equal(stderr, '--chek: is not known; did you mean --check?\norchestratord --help shows what it takes\n')
  })
})
