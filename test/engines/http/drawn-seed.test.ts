import assert from 'node:assert/strict'
import { keys, startDaemon } from '../../harness/daemon.ts'
import { StreamClient } from '../../harness/sse.ts'
import { EngineServer, recording } from './engine-server.ts'

describe('a seed that nobody gave', () => {
  it('is one that engines take which count seeds as signed numbers of 32 bits', async () => {
    const server = await EngineServer.start()
    server.on('GET /v1/models', (call) => call.json(200, { data: [{ id: 'm', max_model_len: 4096 }] }))
    server.on('POST /v1/chat/completions', recording('vllm/chat-stream'))
    const daemon = await startDaemon({ pools: [{ id: 'box', engine: 'openai', url: server.url, replayable: false }] })
    try {
      const messages = [{ role: 'user', content: 'Hi' }]
      const streams = await Promise.all(
        Array.from({ length: 64 }, () => StreamClient.post(daemon.url, keys.all, { model_ref: 'served:box', messages })),
      )
      await Promise.all(streams.map(({ closed }) => closed))
      const seeds = server.calls.flatMap(({ call }) => (call.body['seed'] === undefined ? [] : [Number(call.body['seed'])]))
      assert.equal(seeds.length, 64)
      assert.ok(Math.max(...seeds) < 2 ** 31, String(Math.max(...seeds)))
    } finally {
      await daemon.stop()
      await server.stop()
    }
  })
})
