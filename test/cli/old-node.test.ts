import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDir } from '../harness/process.ts'
import { until } from '../harness/wait.ts'
import { program } from './command.ts'

describe('the program, called with a Node that is too old', () => {
  const dir = temporaryDir()
  const older = join(dir.path, 'older.cjs')
  before(() => writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })"))
  after(() => dir.remove())

  it('runs on the one that came with it, and ends as that one does', async () => {
    const env = { ...process.env, ORCHD_ADDR: '127.0.0.1:0', ORCHD_DATA_DIR: join(dir.path, 'data'), ORCHD_ENGINES: '' }
    const child = spawn(process.execPath, ['-r', older, program], { cwd: dir.path, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = new Promise((resolve) => child.once('close', (status) => resolve(status)))
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
    await until(() => log.includes('"address":'))
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
    assert.match(log, /"event":"stop"/)
  })
})
