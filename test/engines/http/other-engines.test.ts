import assert from 'node:assert/strict'
import type { ChatOptions, GenerateResult, Objection } from '../../../src/ports/engine.ts'
import { ollamaDialect } from '../../../src/adapters/engines/ollama/dialect.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { request, type EngineKit } from './engine-bench.ts'
import { asRecorded, EngineServer, recording } from './engine-server.ts'
import { kits } from './kits.ts'

const clock = new FakeClock()
const signal = new AbortController().signal
const nothing = (): void => undefined
const { llamaChats, llamaPrompts, ollamaChats, ollamaPrompts, openAiChats, tgiChats, tgiPrompts, tritonPrompts, vllmChats } = kits

interface Sent {
  readonly body: unknown
  readonly parts: readonly Part[]
  readonly result: GenerateResult
}

/** What an engine was sent for a request, and what it made of the answer. */
async function sent(kit: EngineKit, answer: Buffer, asked = kit.request): Promise<Sent> {
  const server = await EngineServer.start()
  kit.welcome(server)
  const engine = kit.create({ url: server.url, api_key: '' }, clock)
  await engine.start(nothing)
  server.on(kit.route, answer)
  const parts: Part[] = []
  try {
    const result = await engine.generate(request(asked), (part) => void parts.push(part), signal)
    return { body: server.calls.at(-1)?.call.body, parts, result }
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
    const { body, parts, result } = await sent(ollamaChats, answer, {
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
    assert.deepEqual([first.name, JSON.parse(first.text), result.finish_reason], ['w', { city: 'Oslo' }, 'tool_calls'])
  })

  it('ollama: a prompt over the context is a refusal, and a runner that dies no end', async () => {
    await assert.rejects(sent(ollamaPrompts, recording('ollama/over-context-truncate-false')), { retriable: false, message: /do not fit/ })
    await assert.rejects(sent(ollamaPrompts, recording('ollama/runner-killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(ollamaPrompts, recording('ollama/killed-mid-stream')), { retriable: true })
  })

  it('ollama: a choice of tools that it does not have is refused, and no tools are none', async () => {
    const tool = { type: 'function' as const, function: { name: 'w' } }
    const prompt = { messages: [{ role: 'user' as const, content: 'a' }], tools: [tool] }
    const objection = (chat: ChatOptions): Objection | undefined => ollamaDialect('ollama:m', undefined).objection?.(chat)
    assert.equal(objection({ tool_choice: 'required' })?.field, 'tool_choice')
    assert.equal(objection({ tool_choice: { type: 'function', function: { name: 'w' } } })?.field, 'tool_choice')
    assert.equal(objection({ parallel_tool_calls: false })?.field, 'parallel_tool_calls')
    assert.deepEqual([objection({}), objection({ tool_choice: 'none', parallel_tool_calls: true })], [undefined, undefined])
    const { body } = await sent(ollamaChats, ollamaChats.answer, { prompt, chat: { tool_choice: 'none' } })
    assert.ok(!Object.hasOwn(body as object, 'tools'))
    const auto = await sent(ollamaChats, ollamaChats.answer, { prompt, chat: { tool_choice: 'auto', parallel_tool_calls: true } })
    assert.deepEqual((auto.body as Record<string, unknown>)['tools'], [tool])
  })

  it('ollama: what it leaves out of its count is estimated', async () => {
    const answer = asRecorded('{"response":"a"}\n{"response":"b"}\n{"done":true,"done_reason":"stop"}\n', 'application/x-ndjson')
    const { result } = await sent(ollamaPrompts, answer, { prompt: { text: 'Once upon a time' } })
    assert.deepEqual([result.tokens_in > 0, result.tokens_out], [true, 2])
  })

  it('tgi: no value that it takes for an error', async () => {
    const chat = (await sent(tgiChats, tgiChats.answer, { sampling: { temperature: 0, top_p: 1 } })).body as Record<string, unknown>
    assert.deepEqual([chat['temperature'], Object.hasOwn(chat, 'top_p')], [0, false])
    const { body } = await sent(tgiPrompts, tgiPrompts.answer)
    assert.deepEqual(body, { inputs: 'a', parameters: { max_new_tokens: 20, seed: 1, details: true, stop: ['END'], do_sample: false } })
  })

  it('triton: only what the model takes', async () => {
    const { body } = await sent(tritonPrompts, tritonPrompts.answer, { ...tritonPrompts.request, sampling: { temperature: 1, top_p: 0.5 } })
    assert.deepEqual(body, { text_input: 'go', max_tokens: 14, stream: true, seed: 1 })
    await assert.rejects(sent(tritonPrompts, recording('triton/killed-mid-stream')), { retriable: true })
    await assert.rejects(sent(tritonPrompts, recording('triton/fail-first')), { retriable: false })
  })

  it('openai: ranks', async () => {
    const server = await EngineServer.start()
    openAiChats.welcome(server)
    const engine = openAiChats.create({ url: server.url, api_key: '' }, clock)
    await engine.start(nothing)
    const results = [
      { index: 1, relevance_score: 2 },
      { index: 0, relevance_score: 1 },
    ]
    server.on('POST /v1/rerank', (call) => call.json(200, { results, usage: { total_tokens: 9 } }))
    try {
      assert.deepEqual(await engine.rerank?.('fox', ['a', 'b'], 1, signal), { scores: [1, 2], tokens_in: 9 })
    } finally {
      await engine.stop()
      await server.stop()
    }
  })

  it('vllm: a beginning of the answer is counted as it is gone on with', async () => {
    const server = await EngineServer.start()
    vllmChats.welcome(server)
    const engine = vllmChats.create({ url: server.url, api_key: '' }, clock)
    await engine.start(nothing)
    const messages = [
      { role: 'user' as const, content: 'a' },
      { role: 'assistant' as const, content: 'Once' },
    ]
    try {
      await engine.countTokens({ messages }, signal)
      const goesOn = { continue_final_message: true, add_generation_prompt: false }
      assert.deepEqual(server.calls.at(-1)?.call.body, { model: 'tinytales', messages, ...goesOn })
    } finally {
      await engine.stop()
      await server.stop()
    }
  })

  const likely = { id: 1, token: 'a', bytes: [97], logprob: -0.1, top_logprobs: [{ id: 1, token: 'a', bytes: [97], logprob: -0.1 }] }
  const tops = (parts: readonly Part[]): number[] =>
    parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : [])).map(({ top_logprobs }) => top_logprobs.length)

  it('llama-server: tells no likely tokens where none were asked for', async () => {
    const message = { content: 'a', stop: true, stop_type: 'eos', completion_probabilities: [likely] }
    const answer = asRecorded(`data: ${JSON.stringify(message)}\n\n`)
    for (const top_logprobs of [0, 1]) {
      const { parts } = await sent(llamaPrompts, answer, { prompt: { text: 'a' }, chat: { logprobs: true, top_logprobs } })
      assert.deepEqual(tops(parts), [top_logprobs])
    }
  })

  it('llama-server: has the one tool that has to be called, and has to call: it knows no choice but by a word', async () => {
    const tool = (name: string) => ({ type: 'function' as const, function: { name } })
    const prompt = { messages: [{ role: 'user' as const, content: 'a' }], tools: [tool('look'), tool('hear')] }
    const told = async (tool_choice: NonNullable<ChatOptions['tool_choice']>): Promise<unknown[]> => {
      const body = (await sent(llamaChats, llamaChats.answer, { prompt, chat: { tool_choice } })).body as Record<string, unknown>
      return [body['tools'], body['tool_choice']]
    }
    assert.deepEqual(await told(tool('hear')), [[tool('hear')], 'required'])
    for (const word of ['auto', 'none', 'required'] as const) assert.deepEqual(await told(word), [prompt.tools, word])
  })

  it('llama-server: is asked for one likely token in a chat, too, where none were: it tells of no token otherwise', async () => {
    const choice = { index: 0, delta: { content: 'a' }, logprobs: { content: [likely] }, finish_reason: 'stop' }
    const answer = asRecorded(`data: ${JSON.stringify({ choices: [choice] })}\n\ndata: [DONE]\n\n`)
    for (const [chat, asked, told] of [
      [{ logprobs: true }, 1, 0],
      [{ logprobs: true, top_logprobs: 0 }, 1, 0],
      [{ logprobs: true, top_logprobs: 3 }, 3, 1],
    ] as const) {
      const { body, parts } = await sent(llamaChats, answer, { chat })
      assert.deepEqual([(body as Record<string, unknown>)['top_logprobs'], tops(parts)], [asked, [told]])
    }
    const plain = await sent(llamaChats, answer, { chat: {} })
    assert.ok(!Object.hasOwn(plain.body as object, 'top_logprobs'))
  })
})

describe('what Ollama is sent to load and unload a model', () => {
  it('an empty prompt, and one that is not kept', async () => {
    const server = await EngineServer.start()
    ollamaChats.welcome(server)
    const engine = ollamaChats.create({ url: server.url, api_key: '' }, clock)
    try {
      await engine.start(nothing)
      server.on('POST /api/generate', recording('ollama/load-only'))
      assert.equal(await engine.unload?.(), true)
      const { model, keep_alive, prompt } = server.calls.at(-1)?.call.body ?? {}
      assert.deepEqual([typeof model, keep_alive, prompt], ['string', 0, undefined])
      await assert.rejects(engine.countTokens({ text: 'a' }, signal), { message: 'the engine has unloaded its model', retriable: true })
      await engine.load?.()
      assert.equal(server.calls.at(-1)?.call.body['keep_alive'], undefined)
      assert.ok((await engine.countTokens({ text: 'a' }, signal)) > 0)
    } finally {
      await engine.stop()
      await server.stop()
    }
  })

  it('nothing, where a server holds its model for as long as it runs', async () => {
    const server = await EngineServer.start()
    tgiChats.welcome(server)
    const engine = tgiChats.create({ url: server.url, api_key: '' }, clock)
    await engine.start(nothing)
    assert.equal(await engine.unload?.(), false)
    assert.ok((await engine.countTokens({ messages: [{ role: 'user', content: 'a' }] }, signal)) > 0)
    await engine.stop()
    await server.stop()
  })
})
