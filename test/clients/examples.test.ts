import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'

const folder = join(import.meta.dirname, '../../examples/clients')
const run = promisify(execFile)

describe('the examples of clients', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool()] })
  })
  after(() => daemon.stop())

  for (const name of readdirSync(folder).filter((file) => file.endsWith('.mjs')))
    it(`${name} is answered as it is written`, async () => {
      const env = { PATH: process.env['PATH'], ORCHD_URL: daemon.url, ORCHD_KEY: keys.data, ORCHD_MODEL: 'mock:v1' }
      const { stdout, stderr } = await run(process.execPath, [join(folder, name)], { env })
      assert.ok(stdout.trim().length > 0, stderr)
    })
})
