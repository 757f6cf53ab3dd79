import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installPackage } from '../harness/packed.ts'
import { modelsDir, temporaryDir } from '../harness/process.ts'
import { until } from '../harness/wait.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Largest `node_modules` of a user, bytes. */
const most_bytes = 40e6

const versionOf = (file: string): string => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version

interface Completion {
  readonly choices: readonly [{ readonly message: { readonly content: string } }]
}

const post = async (url: string, body: unknown): Promise<string> => {
  const headers = {
    'X-API-Key': 'valid',
    'Content-Type': 'application/json',
    ...(url.endsWith('/tasks') && { Accept: 'text/event-stream' }),
  }
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text()
}

describe('the package in an empty folder', () => {
  const dir = temporaryDir()
  const modules = join(dir.path, 'node_modules')
  const home = join(modules, 'orchestratord')
  const program = join(modules, '.bin/orchestratord')
  let daemon: ChildProcess | undefined

  before(async () => {
    await installPackage(dir.path)
  }).timeout(600_000)

  afterEach(() => {
    daemon?.kill('SIGKILL')
  })
  after(() => {
    dir.remove()
  })

  /** Starts the daemon and waits until its pool is ready. */
  async function start(...args: string[]): Promise<{ readonly address: string; readonly log: string }> {
    const env = { ...process.env, ORCHD_ADDR: '127.0.0.1:0' }
    const started = (daemon = spawn(process.execPath, [program, ...args], { cwd: dir.path, env, stdio: ['ignore', 'pipe', 'inherit'] }))
    let log = ''
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
    await until(() => log.includes('"state":"ready"') || started.exitCode !== null, 'a pool that is ready')
    return { address: /"address":"([^"]+)"/.exec(log)?.[1] ?? assert.fail(log), log }
  }

  async function stop(): Promise<void> {
    const exited = new Promise((resolve) => daemon?.once('exit', resolve))
    daemon?.kill('SIGTERM')
    assert.equal(await exited, 0)
  }

  it('has the code of the libraries that were tested, with their licences, and no other package', () => {
    assert.deepEqual(globSync('**/node_modules/{*,@*/*}/package.json', { cwd: dir.path }), ['node_modules/orchestratord/package.json'])
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>
    }
    const tested = new Set(Object.entries(packages).map(([path, { version }]) => `${path.split('node_modules/').at(-1)} ${version}`))
    const licences = readFileSync(join(home, 'lib/LICENSES.txt'), 'utf8').split(`\n${'-'.repeat(80)}\n\n`)
    const libraries = licences.map((text) => text.slice(0, text.indexOf('\n')))
    for (const [i, library] of libraries.entries()) {
      assert.ok(tested.has(library), library)
      assert.match(licences[i] ?? '', /copyright|permission/i)
    }
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    for (const [name, version] of Object.entries(dependencies)) assert.ok(libraries.includes(`${name} ${version}`), name)
  })

  it('has maps by which a trace names the lines of the sources', () => {
    const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n')
    const maps = globSync('*.js.map', { cwd: join(home, 'lib') })
    assert.ok(maps.includes('main.js.map'))
    for (const file of maps) {
      const { sources } = JSON.parse(readFileSync(join(home, 'lib', file), 'utf8')) as { sources: readonly string[] }
      for (const source of sources) assert.ok(existsSync(join(root, 'lib', source)), `${file} names ${source}`)
    }
    const map = new SourceMap(JSON.parse(readFileSync(join(home, 'lib/main.js.map'), 'utf8')) as ConstructorParameters<typeof SourceMap>[0])
    const found = map.findEntry(
      lines(join(home, 'lib/main.js')).findIndex((line) => line.includes('function stopOn(')),
      0,
    )
    assert.ok('originalSource' in found)
    assert.equal(found.originalSource, '../src/main.ts')
    assert.match(lines(join(root, 'src/main.ts'))[found.originalLine] ?? '', /^function stopOn\(/)
  })

  it('has code of one byte a sign, which takes half the memory', () => {
    for (const file of globSync('lib/*.js', { cwd: home })) assert.ok(!/[^\0-\x7f]/.test(readFileSync(join(home, file), 'utf8')), file)
  })

  it('fits into 40 MB with all it needs', () => {
    const files = globSync('**/*', { cwd: modules })
    const bytes = files.map((file) => statSync(join(modules, file))).reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
    assert.ok(bytes < most_bytes, `${Math.round(bytes / 1e6)} MB`)
  })

  it('serves every door with the mock alone, and says what the other pool needs', async () => {
    const { address, log } = await start()
    assert.match(log, /A pool of the default is left out: [^"]*npm install node-llama-cpp/)
    const ask = { model: 'mock:v1', messages: [{ role: 'user', content: 'Once upon a time' }], max_tokens: 100 }
    assert.match(await post(`${address}/v1/tasks`, { prompt: 'Once upon a time' }), /event: token\n[^]*event: end\n/)
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false }
    const response_format = { type: 'json_schema', json_schema: { name: 'a', schema } }
    const completion = JSON.parse(await post(`${address}/v1/chat/completions`, { ...ask, response_format })) as Completion
    assert.match(completion.choices[0].message.content, /^\s*\{\s*"a"\s*:\s*-?\d+\s*\}\s*$/)
    assert.match(await post(`${address}/v1/messages`, ask), /"type":"message"/)
    for (const page of ['/', '/docs', '/openapi/orchestratord.json', '/metrics', '/readyz'])
      assert.equal((await fetch(`${address}${page}`)).status, 200, page)
    const asked = { cwd: dir.path, env: { ...process.env, ORCHD_URL: address } }
    const command = async (...args: string[]): Promise<string> => (await run(process.execPath, [program, ...args], asked)).stdout
    assert.match(await command('run', 'Hello', '--seed', '7'), /^\S.*\n$/)
    assert.match(await command('pools'), /^mock +mock +mock:v1 +ready/m)
    assert.match(await command('verify'), /^\d+ answers keep contract \S+, 0 do not/m)
    assert.match(await command('doctor'), /^ok +configuration +1 pools: mock$/m)
    await stop()
  })

  it('refuses a pool whose library is not there, with the command that installs it', async () => {
    writeFileSync(join(dir.path, 'a.yaml'), 'pools: [{ id: a, engine: llamacpp, driver: embedded, model: "catalog:m", ctx: 256 }]\n')
    await assert.rejects(run(process.execPath, [program, '--config', 'a.yaml', '--check'], { cwd: dir.path }), {
      code: 1,
      stderr: 'a.yaml:1: pools[0].driver: embedded needs node-llama-cpp: run npm install node-llama-cpp\n',
    })
  })

  it('refuses a configuration with its file and line', async () => {
    writeFileSync(join(dir.path, 'b.yaml'), '# One word is wrong.\npool: []\n')
    await assert.rejects(run(process.execPath, [program, '--config', 'b.yaml', '--check'], { cwd: dir.path }), {
      code: 1,
      stderr: /^b\.yaml:2: pool: .*pools/,
    })
  })

  it('runs the embedded engine once its library is installed', async () => {
    symlinkSync(join(root, 'node_modules/node-llama-cpp'), join(modules, 'node-llama-cpp'))
    const pool = '{ id: tales, engine: llamacpp, driver: embedded, model: "file:tinytales.gguf", ctx: 256 }'
    writeFileSync(join(dir.path, 'c.yaml'), `models_dir: ${modelsDir}\npools: [${pool}]\n`)
    const { address } = await start('--config', 'c.yaml')
    assert.match(await post(`${address}/v1/tasks`, { prompt: 'Once upon a time', max_tokens: 8 }), /event: token\n[^]*event: end\n/)
    await stop()
  })

  it('tells its version', async () => {
    const { stdout } = await run(process.execPath, [program, '--version'], { cwd: dir.path })
    assert.match(stdout, new RegExp(versionOf(join(root, 'package.json')).replaceAll('.', '\\.')))
  })
})
