import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { orchestratord, type Ended } from '../cli/command.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { temporaryDir } from '../harness/process.ts'
import { llamaServer, talesFile, withEngine } from '../harness/real-engines.ts'

withEngine('llama-server', 'init and doctor before a real llama-server', () => {
  const dir = temporaryDir()
  let engine: EngineProcess

  before(async () => {
    const options = ['--model', talesFile, '--alias', 'tales', '--parallel', '2', '--ctx-size', '512']
    engine = await EngineProcess.start((port) => llamaServer(...options, '--port', String(port)), '/health')
  })
  after(async () => {
    await engine.stop()
    dir.remove()
  })

  const run = (...args: string[]): Promise<Ended> => orchestratord(args, { cwd: dir.path })

  it('init finds it among ports where nobody is, and the daemon takes what it writes', async () => {
    const nobody = ['--engine', 'http://127.0.0.1:1']
    const { status, stdout, stderr } = await run('init', ...nobody, '--engine', engine.url, '--listen', '127.0.0.1:0')
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(
      stdout,
      `found llamacpp at ${engine.url}: tales\nwrote orchestratord.yaml; start it with: orchestratord --config orchestratord.yaml\n`,
    )
    assert.match(readFileSync(join(dir.path, 'orchestratord.yaml'), 'utf8'), /engine: llamacpp/)
    const { stdout: checked } = await run('--check')
    assert.match(checked, /pool +\S+: llamacpp/)
  })

  it('doctor says what it serves, and that it is away once it is', async () => {
    const here = await run('doctor')
    assert.equal(here.status, 0, here.stdout)
    assert.match(here.stdout, new RegExp(`^ok +engine +${engine.url} is llamacpp and serves tales$`, 'm'))
    await engine.stop()
    const away = await run('doctor')
    assert.equal(away.status, 0, away.stdout)
    assert.match(away.stdout, /^warning +engine +\S.*\n +fix: start it, or change url or api_key_env of pool /m)
  })
})
