import assert from 'node:assert/strict'
import type { JsonObject } from '../../../src/adapters/engines/http/json.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import type { GenerateRequest, GenerateResult } from '../../../src/ports/engine.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { request } from './engine-bench.ts'
import { asRecorded, EngineServer } from './engine-server.ts'
import { kits } from './kits.ts'

/** Chunks as `router/src/chat.rs` makes them: each with one choice, and a last one with the usage alone. */
const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { role: 'assistant', ...delta }, logprobs: null, finish_reason }],
  usage: null,
})
const text = (content: string, reason?: string): JsonObject => chunk({ content }, reason)
const call = (name: string | null, piece: string, reason?: string): JsonObject =>
  chunk({ content: null, tool_calls: [{ index: 0, id: '0', type: 'function', function: { name, arguments: piece } }] }, reason)
const used = (completion_tokens: number): JsonObject => ({
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens, total_tokens: 9 + completion_tokens },
})

describe('a chat of TGI', () => {
  async function read(
    chunks: readonly JsonObject[],
    more: Partial<GenerateRequest> = {},
  ): Promise<{ parts: Part[]; result: GenerateResult }> {
    const server = await EngineServer.start()
    kits.tgiChats.welcome(server)
    server.on(
      'POST /v1/chat/completions',
      asRecorded([...chunks.map((one) => JSON.stringify(one)), '[DONE]'].map((one) => `data: ${one}\n\n`).join('')),
    )
    const engine = kits.tgiChats.create({ url: server.url, api_key: '' }, new FakeClock())
    const parts: Part[] = []
    try {
      await engine.start(() => undefined)
      const result = await engine.generate(request(more), (part) => void parts.push(part), new AbortController().signal)
      return { parts, result }
    } finally {
      await engine.stop()
      await server.stop()
    }
  }
  const textOf = (parts: readonly Part[]): string => parts.map((part) => part.text).join('')

  it('that calls a tool has no finish_reason: it ends with its usage, as TGI was recorded by its own tests', async () => {
    const { parts, result } = await read([call('look', '{'), call(null, ' "at": 1'), call(null, '}'), used(12)])
    assert.deepEqual([parts[0]?.kind === 'tool_call' && parts[0].name, textOf(parts)], ['look', '{ "at": 1}'])
    assert.deepEqual(result, { finish_reason: 'tool_calls', tokens_in: 9, tokens_out: 12, kv_warm: false })
  })

  it('that is cut before its call has a name ends at its length, and without its usage not at all', async () => {
    assert.equal((await read([used(20)])).result.finish_reason, 'length')
    assert.equal((await read([call('look', '{', 'length'), used(20)])).result.finish_reason, 'length')
    await assert.rejects(read([call('look', '{')]), { kind: 'broken' })
  })

  it('has no stop sequence in its text, which is part of it there', async () => {
    const sampling = { stop: ['END'] }
    const { parts, result } = await read([text('a E'), text('N'), text('D', 'stop_sequence'), used(3)], { sampling })
    assert.deepEqual([textOf(parts), result.finish_reason, result.stop_sequence], ['a ', 'stop', 'END'])
    const whole = await read([text('a E'), text('N', 'stop'), used(2)], { sampling })
    assert.deepEqual([textOf(whole.parts), whole.result.stop_sequence], ['a EN', undefined])
  })
})
