import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'
import { until } from '../harness/wait.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]
const fast = { prefill_ms: 0, token_ms: 0, tokens: 8 }
const failing = (after_tokens: number) => ({
  ...fast,
  replayable: false,
  continues: false,
  fault: { kind: 'fail', after_tokens, every: 1 },
})
const one = { replicas: [{ id: 'r0', slots: 1 }] }
const silent = { prefill_ms: 200_000, token_ms: 0, tokens: 4 }
const timeouts = { idle_ms: 600_000, wall_ms: 600_000 }
const pools = [
  mockPool(),
  mockPool({ id: 'breaks', model: 'mock:breaks', mock: failing(3) }),
  mockPool({ id: 'gives-up', model: 'mock:gives-up', mock: failing(0) }),
  mockPool({ id: 'refuses', model: 'mock:refuses' }),
  mockPool({ id: 'silent', model: 'mock:silent', mock: silent, timeouts }),
  mockPool({ id: 'full', model: 'mock:full', ...one, queue: { capacity: 1, full_policy: 'reject' }, mock: silent, timeouts }),
]

describe('trouble, as clients see it', function () {
  let clock: FakeClock
  let daemon: TestDaemon
  beforeEach(async () => {
    clock = new FakeClock()
    daemon = await startDaemon({ pools, doors: { linger_ms: 0 } }, { clock })
  })
  afterEach(() => daemon.stop())

  const openai = (more: object = {}): OpenAI => new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: keys.data, maxRetries: 0, ...more })
  const anthropic = (more: object = {}): Anthropic => new Anthropic({ baseURL: daemon.url, apiKey: keys.data, maxRetries: 0, ...more })
  const aiModel = (model: string) => createOpenAI({ baseURL: `${daemon.url}/v1`, apiKey: keys.data }).chat(model)
  const langchain = (model: string, more: object = {}): ChatOpenAI =>
    new ChatOpenAI({ model, apiKey: keys.data, maxRetries: 0, configuration: { baseURL: `${daemon.url}/v1` }, ...more })
  const live = (): number => [...daemon.live.all()].length

  /** Reads a stream to its end. */
  const drain = async (stream: PromiseLike<AsyncIterable<unknown>>): Promise<number> => {
    let pieces = 0
    for await (const piece of await stream) if (piece !== undefined) pieces++
    return pieces
  }

  it('an engine that breaks in the middle is an error to each of them, streamed or not', async () => {
    const model = 'mock:breaks'
    // A replica whose tasks have failed is left alone for a while.
    const rested = (): Promise<void> => clock.advance(60_000)
    await assert.rejects(drain(openai().chat.completions.create({ model, messages, stream: true })), /server error, overloaded/)
    await rested()
    await assert.rejects(openai().chat.completions.stream({ model, messages }).finalChatCompletion(), /server error, overloaded/)
    await rested()
    await assert.rejects(drain(openai().completions.create({ model, prompt: 'Once', stream: true })), /server error, overloaded/)
    await rested()
    await assert.rejects(drain(anthropic().messages.create({ model, messages, max_tokens: 9, stream: true })), /server error, overloaded/)
    await rested()
    await assert.rejects(anthropic().messages.stream({ model, messages, max_tokens: 9 }).finalMessage(), /server error, overloaded/)
    await rested()
    await assert.rejects(drain(langchain(model).stream('Hello')), /server error, overloaded/)
    await rested()
    const errors: unknown[] = []
    const { stream } = streamText({
      model: aiModel(model),
      prompt: 'Hello',
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    })
    await drain(Promise.resolve(stream))
    assert.match(String((errors[0] as { message?: unknown }).message), /server error, overloaded/)
    await assert.rejects(openai().chat.completions.create({ model, messages }), OpenAI.InternalServerError)
    await assert.rejects(anthropic().messages.create({ model, messages, max_tokens: 9 }), Anthropic.InternalServerError)
  })

  it('a task that is given up before its first token, and a pool that takes nothing, are a status and not a stream', async () => {
    const drained = await call(daemon.url, '/v1/pools/refuses/drain', { method: 'POST', key: keys.all, body: { deadline_ms: 1000 } })
    assert.equal(drained.status, 202)
    for (const [model, status] of [
      ['mock:gives-up', 400],
      ['mock:refuses', 503],
    ] as const)
      for (const asked of [
        openai().chat.completions.create({ model, messages, stream: true }),
        anthropic().messages.create({ model, messages, max_tokens: 9, stream: true }),
      ])
        await assert.rejects(asked, (error) => {
          assert.ok(error instanceof OpenAI.APIError || error instanceof Anthropic.APIError)
          assert.equal(error.status, status)
          const after = Number((error.headers as Headers).get('retry-after'))
          assert.ok(status === 400 || (after >= 1 && after <= 60))
          return true
        })
    await assert.rejects(generateText({ model: aiModel('mock:refuses'), prompt: 'Hello', maxRetries: 0 }), /drain/)
  })

  it('a task that somebody has cancelled is not asked for again', async () => {
    let asks = 0
    let sent = 0
    const once = (...given: Parameters<typeof fetch>): Promise<Response> => {
      sent++
      return sent > asks ? Promise.resolve(new Response('{}', { status: 400 })) : fetch(...given)
    }
    const clients = { openai: openai({ fetch: once, maxRetries: 1 }), anthropic: anthropic({ fetch: once, maxRetries: 1 }) }
    const model = 'mock:silent'
    for (const ask of [
      () => clients.openai.chat.completions.create({ model, messages }),
      () => clients.openai.responses.create({ model, input: 'Hello' }),
      () => clients.anthropic.messages.create({ model, messages, max_tokens: 9 }),
    ]) {
      asks++
      const asked = assert.rejects(ask)
      await until(() => live() === 1)
      const [task] = [...daemon.live.all()]
      await call(daemon.url, `/v1/tasks/${task?.accepted.task_id ?? ''}/cancel`, { method: 'POST', key: keys.data })
      await asked
      assert.equal(sent, asks)
    }
  })

  it('a full queue is a 429 to each of them, which they wait out and come back from', async () => {
    const model = 'mock:full'
    const filling = [openai().chat.completions.create({ model, messages })]
    // Until it has its slot it is what fills the queue.
    await until(() => [...daemon.live.all()].some(({ phase }) => phase === 'running'))
    filling.push(openai().chat.completions.create({ model, messages }))
    await until(() => live() === 2)
    await assert.rejects(openai().chat.completions.create({ model, messages, stream: true }), OpenAI.RateLimitError)
    await assert.rejects(anthropic().messages.create({ model, messages, max_tokens: 9 }), Anthropic.RateLimitError)
    await assert.rejects(generateText({ model: aiModel(model), prompt: 'Hello', maxRetries: 0 }), /queue/)
    await assert.rejects(langchain(model).invoke('Hello'), /queue/)
    const statuses: number[] = []
    const watching = async (...given: Parameters<typeof fetch>): Promise<Response> => {
      const response = await fetch(...given)
      statuses.push(response.status)
      if (response.status !== 429) return response
      const after = Number(response.headers.get('retry-after'))
      assert.ok(after >= 1 && after <= 60, String(after))
      // There is room when they come back, which they need not wait for here.
      while (live() > 0) await clock.advance(200_000)
      return new Response(await response.text(), { status: 429, headers: { 'retry-after-ms': '1' } })
    }
    const again = openai({ fetch: watching, maxRetries: 2 }).chat.completions.create({ model, messages })
    await Promise.all(filling)
    await until(() => live() === 1)
    while (live() > 0) await clock.advance(200_000)
    await again
    assert.deepEqual(statuses, [429, 200])
  })

  it('a client that leaves ends its task', async () => {
    const model = 'mock:silent'
    for (const ask of [
      (signal: AbortSignal) => openai().chat.completions.create({ model, messages, stream: true }, { signal }),
      (signal: AbortSignal) => anthropic().messages.create({ model, messages, max_tokens: 9 }, { signal }),
      (signal: AbortSignal) => generateText({ model: aiModel(model), prompt: 'Hello', abortSignal: signal, maxRetries: 0 }),
      (signal: AbortSignal) => langchain(model).invoke('Hello', { signal }),
    ]) {
      const leave = new AbortController()
      const asked = assert.rejects(async () => ask(leave.signal))
      await until(() => live() === 1)
      leave.abort()
      await asked
      await until(() => clock.pending > 0)
      while (live() > 0) await clock.advance(1)
    }
  })

  it('minutes of silence trouble nobody', async () => {
    const model = 'mock:silent'
    const asked = [
      drain(openai().chat.completions.create({ model, messages, stream: true })),
      drain(anthropic().messages.create({ model, messages, max_tokens: 9, stream: true })),
      openai().chat.completions.create({ model, messages }),
      anthropic().messages.create({ model, messages, max_tokens: 9 }),
    ]
    await until(() => live() === 4)
    for (let i = 0; i < 21; i++) await clock.advance(10_000)
    for (const answer of await Promise.all(asked)) assert.ok(answer)
    const more = [drain(langchain(model).stream('Hello')), generateText({ model: aiModel(model), prompt: 'Hello' })]
    await until(() => live() === 2)
    for (let i = 0; i < 21; i++) await clock.advance(10_000)
    for (const answer of await Promise.all(more)) assert.ok(answer)
  })

  it('a connection that is cut is an error to each of them', async () => {
    const model = 'mock:silent'
    const asked = [
      drain(openai().chat.completions.create({ model, messages, stream: true })),
      drain(anthropic().messages.create({ model, messages, max_tokens: 9, stream: true })),
      openai().chat.completions.create({ model, messages }),
    ].map((answer) => assert.rejects(answer))
    await until(() => live() === 3)
    await clock.advance(20_000)
    daemon.server.closeAllConnections()
    await Promise.all(asked)
  })
})
