import assert from 'node:assert/strict'
import { chatBody } from '../../../src/adapters/engines/ollama/body.ts'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { ollamaDialect } from '../../../src/adapters/engines/ollama/dialect.ts'
import type { ChatMessage } from '../../../src/domain/task.ts'
import type { EngineProps } from '../../../src/ports/engine.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { request } from './engine-bench.ts'
import { EngineServer } from './engine-server.ts'

const signal = new AbortController().signal

/** An Ollama with one model, as its versions tell of it. */
interface Told {
  /** In its list of models, since 0.30. */
  readonly listed?: readonly string[]
  /** When it is asked for the model, since 0.6.4. */
  readonly shown?: readonly string[]
  /** Context of the model that is loaded, since 0.9.7, tokens. */
  readonly context?: number
}

describe('an Ollama', () => {
  let server: EngineServer
  let engine: HttpEngine

  beforeEach(async () => {
    server = await EngineServer.start()
  })
  afterEach(async () => {
    await engine.stop()
    await server.stop()
  })

  async function started({ listed, shown, context }: Told, num_ctx?: number): Promise<EngineProps> {
    server.on('GET /api/version', (call) => call.json(200, { version: '0.20.0' }))
    server.on('GET /api/tags', (call) => call.json(200, { models: [{ name: 'm:latest', capabilities: listed }] }))
    server.on('POST /api/show', (call) => call.json(200, { capabilities: shown, model_info: {} }))
    server.on('GET /api/ps', (call) => call.json(200, { models: [{ name: 'm:latest', context_length: context }] }))
    server.on('POST /api/generate', (call) => call.json(200, { done: true, done_reason: 'load' }))
    server.on('POST /api/embed', (call) => call.json(200, { embeddings: [] }))
    const dialect = ollamaDialect('ollama:m', num_ctx)
    engine = new HttpEngine({ dialect, url: server.url, slots: 1, replayable: false, clock: new FakeClock() })
    return engine.start(() => undefined)
  }
  const bodies = (route: string): unknown[] => server.calls.flatMap((one) => (one.route === route ? [one.call.body] : []))

  it('before 0.30 does not list what its models can, and tells of each', async () => {
    const { features } = await started({ shown: ['completion', 'tools', 'vision', 'thinking'], context: 4096 })
    for (const feature of ['tools', 'images', 'reasoning'] as const) assert.ok(features.includes(feature), feature)
    assert.ok(!features.includes('continues'))
    assert.deepEqual(bodies('POST /api/show'), [{ model: 'm:latest' }])
  })

  it('is asked for nothing that its list tells', async () => {
    assert.ok((await started({ listed: ['completion', 'tools'], context: 4096 })).features.includes('tools'))
    assert.deepEqual(bodies('POST /api/show'), [])
  })

  it('before 0.6.4 does not tell at all, and completes', async () => {
    const { workloads, features } = await started({ context: 4096 })
    assert.deepEqual([workloads, features.includes('tools')], [['completion'], false])
  })

  it('has a model that embeds loaded by an embedding of nothing, with the context that the configuration gives', async () => {
    const { workloads, ctx_max } = await started({ shown: ['embedding'], context: 8192 }, 8192)
    assert.deepEqual([workloads, ctx_max], [['embedding'], 8192])
    server.on('POST /api/embed', (call) => call.json(200, { embeddings: [[1]] }))
    await engine.embed(['a'], 1, signal)
    assert.deepEqual(bodies('POST /api/embed'), [
      { model: 'm:latest', input: [], options: { num_ctx: 8192 } },
      { model: 'm:latest', input: ['a'], truncate: false, options: { num_ctx: 8192 } },
    ])
    assert.deepEqual(bodies('POST /api/generate'), [])
  })

  it('gives a model no larger context than it was trained with, whatever it is asked for', async () => {
    assert.equal((await started({ listed: ['completion'], context: 2048 }, 8192)).ctx_max, 2048)
  })
})

describe('a conversation with tools, for Ollama', () => {
  const messages: readonly ChatMessage[] = [
    { role: 'user', content: 'a' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
        { id: 'c2', type: 'function', function: { name: 'hear', arguments: '{}' } },
      ],
    },
    { role: 'tool', content: 'dark', tool_call_id: 'c1' },
    { role: 'tool', content: 'quiet', tool_call_id: 'c2' },
    { role: 'tool', content: 'lost', tool_call_id: 'c3' },
  ]
  const sent = (asked: readonly ChatMessage[]): unknown[] =>
    (JSON.parse(JSON.stringify(chatBody(request(), { messages: asked }, 'm', undefined))) as { messages: unknown[] }).messages

  it('names the tool of each result, as no client does by itself', () => {
    assert.deepEqual(sent(messages).slice(2), [
      { role: 'tool', content: 'dark', tool_name: 'look', tool_call_id: 'c1' },
      { role: 'tool', content: 'quiet', tool_name: 'hear', tool_call_id: 'c2' },
      { role: 'tool', content: 'lost', tool_call_id: 'c3' },
    ])
  })

  it('has the ids of its calls', () => {
    assert.deepEqual(sent(messages.slice(0, 2)), [
      { role: 'user', content: 'a' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'c1', function: { name: 'look', arguments: { at: 1 } } },
          { id: 'c2', function: { name: 'hear', arguments: {} } },
        ],
      },
    ])
  })
})
