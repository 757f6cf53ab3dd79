import assert from 'node:assert/strict'
import { keys, startDaemon, type TestDaemon } from '../../harness/daemon.ts'
import { StreamClient } from '../../harness/sse.ts'
import { EngineServer, recording } from './engine-server.ts'

/** Context of the server, tokens. */
const ctx = 4096

describe('a server whose prompts are counted by an estimate', () => {
  let server: EngineServer
  let daemon: TestDaemon
  let prompt_tokens = 0
  before(async () => {
    server = await EngineServer.start()
    server.on('GET /v1/models', (call) => call.json(200, { data: [{ id: 'm', max_model_len: ctx }] }))
    // As vLLM and TGI do: what is asked for has to fit as well, whatever comes of it.
    server.on('POST /v1/chat/completions', (call) => {
      if (prompt_tokens + Number(call.body['max_tokens']) <= ctx) call.end(recording('vllm/chat-stream'))
      else void call.json(400, { error: { message: `This model's maximum context length is ${ctx} tokens.`, code: 400 } })
    })
    daemon = await startDaemon({
      pools: [{ id: 'box', engine: 'openai', url: server.url, replayable: false, replicas: [{ id: 'r0', slots: 1 }] }],
    })
  })
  after(async () => {
    await daemon.stop()
    await server.stop()
  })

  const run = async (content: string, tokens: number, more: object = {}): Promise<StreamClient> => {
    prompt_tokens = tokens
    const stream = await StreamClient.post(daemon.url, keys.all, {
      model_ref: 'served:box',
      messages: [{ role: 'user', content }],
      ...more,
    })
    await stream.closed
    return stream
  }

  for (const [what, content, tokens] of [
    ['a word in a template that has its own, such as that of Llama 3', 'Hi', 36],
    ['code, which has three bytes a token', 'a = [0]; '.repeat(1000), 3000],
  ] as const)
    it(`has an answer to ${what}, where the task does not say how long`, async () => {
      const { terminal } = await run(content, tokens)
      assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
    })

  it('is asked for as many tokens as the task says', async () => {
    const { terminal } = await run('Hi', 36, { max_tokens: ctx - 10 })
    assert.equal(terminal?.event, 'error')
    assert.equal(server.calls.at(-1)?.call.body['max_tokens'], ctx - 10)
  })
})
