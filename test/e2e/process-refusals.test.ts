import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { mockPool } from '../harness/daemon.ts'
import { DaemonProcess, temporaryDir, type ProcessOptions } from '../harness/process.ts'

describe('a daemon that cannot start says why', () => {
  let dir: ReturnType<typeof temporaryDir>
  beforeEach(() => {
    dir = temporaryDir()
  })
  afterEach(() => dir.remove())

  /** Starts the daemon and insists on exit status 1 and one line on standard error that says what is wrong. */
  async function refused(options: ProcessOptions, ...says: (RegExp | string)[]): Promise<void> {
    const daemon = DaemonProcess.spawn(dir.path, options)
    const exit = await daemon.exited
    assert.deepEqual(exit, { code: 1, signal: null }, daemon.stderr)
    assert.match(daemon.stderr, /^orchestratord: [^\n]+\n$/)
    for (const what of says)
      assert.ok(typeof what === 'string' ? daemon.stderr.includes(what) : what.test(daemon.stderr), `${String(what)}: ${daemon.stderr}`)
    assert.ok(!daemon.lines.some(({ event }) => event === 'start'))
  }

  it('everything that is wrong with its configuration, a line each', async () => {
    const config = 'porst: 1\npools:\n- { id: a, engine: mock, driver: in-process, model: "mock:v1", ctx: 8k }\n'
    const daemon = DaemonProcess.spawn(dir.path, { config, env: { ORCHD_PORT: '1' } })
    assert.deepEqual(await daemon.exited, { code: 1, signal: null }, daemon.stderr)
    const file = join(dir.path, 'orchestratord.yaml')
    const lines = daemon.stderr.split('\n').map((line) => line.replace(/; known are .*/, ''))
    assert.deepEqual(lines, [
      'ORCHD_PORT: is not known',
      `${file}:1: porst: is not known here`,
      `${file}:3: pools[0].ctx: "8k" must be integer`,
      '',
    ])
    assert.ok(!daemon.lines.some(({ event }) => event === 'start'))
  })

  it('a data_dir that is a file', async () => {
    const data_dir = join(dir.path, 'file')
    writeFileSync(data_dir, '')
    await refused({ config: { data_dir } }, data_dir, 'data_dir')
  })

  it('a database that is none, which is left as it was', async () => {
    mkdirSync(join(dir.path, 'data'))
    writeFileSync(join(dir.path, 'data', 'orchestratord.db'), 'not a database, but long enough to look at. '.repeat(100))
    await refused({ config: { pools: [mockPool()] } }, 'orchestratord.db', 'move the file away')
  })

  it('a second daemon on the same data_dir, which does the first no harm', async () => {
    const config = { pools: [mockPool()] }
    const first = await DaemonProcess.start(dir.path, { config })
    await refused({ config }, 'orchestratord.db', 'in use by another daemon')
    assert.equal((await first.stop()).code, 0)
  })

  it('a port in use', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await refused({ config: { listen: `127.0.0.1:${port}`, pools: [mockPool()] } }, `listen 127.0.0.1:${port}`, 'EADDRINUSE')
    await new Promise((resolve) => server.close(resolve))
  })
})
