import assert from 'node:assert/strict'
import type { Part } from '../../../src/domain/stream/part.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { request, type EngineKit } from './engine-bench.ts'
import { asRecorded, EngineServer, recording } from './engine-server.ts'
import { kits } from './kits.ts'

const clock = new FakeClock()
const signal = new AbortController().signal
const nothing = (): void => undefined
const { ollamaChats, ollamaPrompts, tgiPrompts, tritonPrompts } = kits

/** What an engine was sent for a request, and what it made of the answer. */
async function sent(kit: EngineKit, answer: Buffer, asked = kit.request): Promise<{ body: unknown; parts: Part[]; finish: string }> {
  const server = await EngineServer.start()
  kit.welcome(server)
  const engine = kit.create({ url: server.url, api_key: '' }, clock)
  await engine.start(nothing)
  server.on(kit.route, answer)
  const parts: Part[] = []
  try {
    const { finish_reason } = await engine.generate(request(asked), (part) => void parts.push(part), signal)
    return { body: server.calls.at(-1)?.call.body, parts, finish: finish_reason }
  } finally {
    await engine.stop()
    await server.stop()
  }
}

describe('what the other engines are sent', () => {
  it('ollama: the context is never cut silently, and tools, images and schemas have its own form', async () => {
    const call = {
      model: 'm',
      message: { role: 'assistant', content: '', tool_calls: [{ function: { name: 'w', arguments: { city: 'Oslo' } } }] },
    }
    const answer = asRecorded(`${JSON.stringify({ ...call, done: false })}\n{"done":true,"done_reason":"stop"}\n`, 'application/x-ndjson')
    const tools = [{ type: 'function' as const, function: { name: 'w', parameters: { type: 'object' } } }]
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,QUJD' } }
    const { body, parts, finish } = await sent(ollamaChats, answer, {
      prompt: { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }], tools },
      chat: { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } }, reasoning_effort: 'none' },
    })
    const { truncate, shift, messages, tools: offered, format, think } = body as Record<string, unknown>
    const told = {
      truncate: false,
      shift: false,
      messages: [{ role: 'user', content: 'see', images: ['QUJD'] }],
      format: { type: 'object' },
    }
    assert.deepEqual({ truncate, shift, messages, tools: offered, format, think }, { ...told, tools, think: false })
    const [first] = parts
    assert.ok(first?.kind === 'tool_call')
    assert.deepEqual([first.name, JSON.parse(first.text), finish], ['w', { city: 'Oslo' }, 'tool_calls'])
  })

  it('ollama: a prompt over the context is a refusal, and a runner that dies no end', async () => {
    await assert.rejects(sent(ollamaPrompts, recording('ollama/over-context-truncate-false')), { retriable: false, message: /do not fit/ })
    await assert.rejects(sent(ollamaPrompts, recording('ollama/runner-killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(ollamaPrompts, recording('ollama/killed-mid-stream')), { retriable: true })
  })

  it('tgi: no value that it takes for an error', async () => {
    const { body } = await sent(tgiPrompts, tgiPrompts.answer)
    assert.deepEqual(body, { inputs: 'a', parameters: { max_new_tokens: 20, seed: 1, details: true, stop: ['END'], do_sample: false } })
  })

  it('triton: only what the model takes', async () => {
    const { body } = await sent(tritonPrompts, tritonPrompts.answer, { ...tritonPrompts.request, sampling: { temperature: 1, top_p: 0.5 } })
    assert.deepEqual(body, { text_input: 'go', max_tokens: 14, stream: true, seed: 1 })
    await assert.rejects(sent(tritonPrompts, recording('triton/killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(tritonPrompts, recording('triton/fail-first')), { retriable: false })
  })
})
