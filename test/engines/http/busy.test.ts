import assert from 'node:assert/strict'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import { FakeClock, settled } from '../../harness/fake-clock.ts'
import { inTime } from '../../harness/wait.ts'
import { request } from './engine-bench.ts'
import { EngineServer } from './engine-server.ts'
import { kits } from './kits.ts'

describe('a server that takes no more', () => {
  it('is not waited for where it asks for longer than a run may be silent: others may take the task meanwhile', async () => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    const nothing = (): void => undefined
    const server = await EngineServer.start()
    kits.llamaPrompts.welcome(server)
    const patient = new HttpEngine({
      url: server.url,
      dialect: llamaServerDialect('served:box'),
      replayable: false,
      clock,
      idle_ms: 30_000,
    })
    await patient.start(nothing)
    let calls = 0
    server.on('POST /completion', (call) => call.json(429, '', { 'Retry-After': calls++ === 0 ? '20' : '10' }))
    const run = patient.generate(request({ prompt: { text: 'a' } }), nothing, signal)
    run.catch(nothing)
    await server.until(() => calls === 1)
    await settled()
    while (calls < 2) await clock.advance(20_000)
    await inTime(assert.rejects(run, { kind: 'busy' }), 'the run to be over')
    assert.equal(calls, 2)
    await patient.stop()
    await server.stop()
  })
})
