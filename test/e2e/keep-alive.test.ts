import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { mockPool } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'

describe('an idle connection', () => {
  it('is kept as long as keep_alive_ms says, and a little longer than most proxies keep theirs by default', async () => {
    const dir = temporaryDir()
    const agent = new Agent({ keepAlive: true })
    try {
      for (const [config, told] of [
        [{}, 75],
        [{ keep_alive_ms: 11_000 }, 11],
      ] as const) {
        const daemon = await DaemonProcess.start(dir.path, { config: { pools: [mockPool()], ...config } })
        assert.equal((await call(daemon.url, '/healthz', { agent })).headers['keep-alive'], `timeout=${told}`)
        await daemon.stop('SIGKILL')
      }
    } finally {
      agent.destroy()
      dir.remove()
    }
  })
})
