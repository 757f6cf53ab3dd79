import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestOf, modelRequest, someBytes } from '../harness/catalog.ts'
import { mockPool } from '../harness/daemon.ts'
import { call, type Answer } from '../harness/http.ts'
import { holdAfter, Hub } from '../harness/hub.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { untilAnswer } from '../harness/wait.ts'

const bytes = someBytes(500_000)
const path = '/v1/catalog/models/tiny'
const key = 'valid'

describe('a download when the daemon is killed', () => {
  it('goes on from what is on disk, and ends with the right file', async () => {
    const dir = temporaryDir()
    const hub = await Hub.start()
    const models_dir = join(dir.path, 'models')
    mkdirSync(models_dir)
    const config = { models_dir, pools: [mockPool()], catalog: { hf_endpoint: `http://${hub.address}`, egress: { hosts: [hub.address] } } }
    hub.put('org/tiny', 'tiny.gguf', holdAfter(bytes, 200_000))
    let daemon = await DaemonProcess.start(dir.path, { config })
    try {
      const body = modelRequest('tiny', 'hf:org/tiny', [manifestOf('tiny.gguf', bytes)])
      assert.equal((await call(daemon.url, '/v1/catalog/models', { method: 'POST', key, body })).status, 201)
      const local = ({ json }: Answer): Record<string, unknown> => json['local'] as Record<string, unknown>
      const ask = (): Promise<Answer> => call(daemon.url, path, { key })
      await untilAnswer(ask, (answer) => local(answer)['bytes_done'] === 200_000)
      await daemon.stop('SIGKILL')
      hub.put('org/tiny', 'tiny.gguf', bytes)
      daemon = await DaemonProcess.start(dir.path, { config })
      const done = await untilAnswer(ask, ({ json }) => (json['verification'] as { status?: string } | undefined)?.status === 'pass')
      assert.equal(local(done)['status'], 'present')
      assert.equal(hub.requests.at(-1)?.headers.range, 'bytes=200000-')
      assert.deepEqual(readFileSync(join(models_dir, '.catalog/tiny/files/tiny.gguf')), bytes)
    } finally {
      await daemon.stop('SIGKILL')
      await hub.stop()
      dir.remove()
    }
  })
})
