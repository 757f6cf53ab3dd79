import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { keys } from '../harness/daemon.ts'
import { EngineProcess } from '../harness/engine-process.ts'
import { call } from '../harness/http.ts'
import { temporaryDir } from '../harness/process.ts'
import { llamaRouter, talesFile, withEngine } from '../harness/real-engines.ts'
import { Served } from './served.kit.ts'

withEngine('llama-router', 'a real llama-server in router mode', () => {
  let dir: ReturnType<typeof temporaryDir>
  let engine: EngineProcess

  before(async () => {
    dir = temporaryDir()
    for (const name of ['a', 'b']) copyFileSync(talesFile, join(dir.path, `tales-${name}.gguf`))
    engine = await EngineProcess.start((port) => llamaRouter(dir.path, '--models-max', '1', '--port', String(port)), '/health')
  })
  after(async () => {
    await engine.stop()
    dir.remove()
  })

  it('is refused in words that say what to name instead, and tell nothing of its command lines', async () => {
    const served = await Served.start(engine, { engine: 'llamacpp', model: 'llamacpp:tales-a' }, {}, false)
    try {
      const { json } = await call(served.daemon.url, '/v1/pools/box/health', { key: keys.all })
      assert.deepEqual([json['ready'], json['last_error']], [false, 'the engine is a router of llama-servers: name one of those'])
      assert.doesNotMatch(JSON.stringify([json, served.daemon.lines]), /tales-b|gguf/)
    } finally {
      await served.daemon.stop()
    }
  })
})
