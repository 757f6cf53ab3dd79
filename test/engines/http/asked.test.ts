import assert from 'node:assert/strict'
import type { EngineClient } from '../../../src/adapters/engines/http/client.ts'
import type { ServerProps } from '../../../src/adapters/engines/http/dialect.ts'
import { EngineFault } from '../../../src/adapters/engines/http/faults.ts'
import type { ChatMessage } from '../../../src/domain/task.ts'
import type { Json } from '../../../src/adapters/engines/http/json.ts'
import { chatBody, completionBody, continuing, conversationFor } from '../../../src/adapters/engines/http/openai/body.ts'
import { openAiEmbeddings, servedModel } from '../../../src/adapters/engines/http/openai/calls.ts'
import { rerank } from '../../../src/adapters/engines/http/openai/rerank.ts'
import { provesReplay } from '../../../src/adapters/engines/http/replay-probe.ts'
import { rootUrl } from '../../../src/adapters/engines/http/server-engine.ts'
import { completionBody as llamaBody, seedOf } from '../../../src/adapters/engines/llamacpp/server/completion.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import { openAiDialect } from '../../../src/adapters/engines/openai/dialect.ts'
import { routedModel, unloadModel } from '../../../src/adapters/engines/llamacpp/server/router.ts'
import { chatBody as ollamaBody } from '../../../src/adapters/engines/ollama/body.ts'
import { ollamaDialect } from '../../../src/adapters/engines/ollama/dialect.ts'
import { generateBody as tgiBody } from '../../../src/adapters/engines/tgi/generate.ts'
import { tritonDialect } from '../../../src/adapters/engines/triton/dialect.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { request } from './engine-bench.ts'

const signal = new AbortController().signal
const style = { repeat_penalty: 'repetition_penalty', max_tokens: 'max_tokens' } as const
const server = { model: 'm', workloads: ['completion'], features: [], ctx_max: 9, engine_version: '1' } as unknown as ServerProps

/** A client that answers from a table of paths, each with its answers in order, and writes down what was asked. */
function answering(table: Readonly<Record<string, Json | readonly Json[]>>) {
  const asked: [string, unknown][] = []
  const clock = new FakeClock()
  const answer = (path: string, body?: object): Promise<Json> => {
    asked.push([path, body])
    const given = table[path]
    if (given === undefined) return Promise.reject(new EngineFault('refused', 'no such call', { status: 404 }))
    const times = asked.filter(([of]) => of === path).length
    return Promise.resolve(given instanceof Array ? (given[Math.min(times, given.length) - 1] as Json) : (given as Json))
  }
  const client = { clock, get: answer, post: answer, postForValue: answer, value: answer, text: answer } as unknown as EngineClient
  return { client, asked, clock }
}

describe('what servers in the form of OpenAI are asked', () => {
  const developer = { role: 'developer' as const, content: 'Be brief.' }

  it('has the developer as the system, which all of them know', () => {
    assert.deepEqual(conversationFor({ messages: [developer] }, style), { messages: [{ ...developer, role: 'system' }], tools: undefined })
    const { body } = openAiDialect({
      ...{ model_ref: 'served:box', v1: '/v1', ctx: 9, features: [], workloads: ['completion'], max_tokens_field: 'max_tokens' },
    }).generation(request({ prompt: { messages: [developer] } }), server, () => undefined)
    assert.deepEqual((body as Record<string, unknown>)['messages'], [{ ...developer, role: 'system' }])
  })

  it('has arguments of earlier calls that are an object, for servers read them: none where they were cut off or never came', () => {
    const called = (text: string): object => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } })
    const given = ['{"a": 1}', '', ' ', '{"a": tru', '[1]', '"a"', 'null', '{}']
    const message = { role: 'assistant', content: null, tool_calls: given.map(called) } as unknown as ChatMessage
    const { messages } = conversationFor({ messages: [message] }, style) as { messages: ChatMessage[] }
    const told = messages[0]?.tool_calls?.map((call) => call.function.arguments)
    assert.deepEqual(told, ['{"a": 1}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'])
    assert.equal(message.tool_calls?.[3]?.function.arguments, '{"a": tru', 'the message of the task stays what it is')
  })

  it('goes on with the words of the assistant, and not with its calls', () => {
    const assistant = { role: 'assistant' as const, content: 'a' }
    const goesOn = { continue_final_message: true, add_generation_prompt: false }
    const tool_calls = [{ id: 'c', type: 'function' as const, function: { name: 'f', arguments: '{}' } }]
    assert.deepEqual(
      [
        continuing({ messages: [assistant] }),
        continuing({ messages: [{ ...assistant, tool_calls }] }),
        continuing({ messages: [developer] }),
      ],
      [goesOn, {}, {}],
    )
    assert.deepEqual(continuing({ text: 'a' }), {})
  })

  it('has its penalty and its limit by their names, and always counts', () => {
    const asked = request({ sampling: { repeat_penalty: 1.1 }, chat: { logprobs: true } })
    const body = completionBody(asked, 'a', 'm', { ...style, max_tokens: 'max_completion_tokens' }) as Record<string, unknown>
    assert.deepEqual([body['repetition_penalty'], body['max_completion_tokens'], body['logprobs']], [1.1, 20, 0])
    assert.deepEqual(body['stream_options'], { include_usage: true })
    const chat = chatBody(asked, { messages: [] }, 'm', style) as Record<string, unknown>
    assert.deepEqual([chat['model'], chat['logprobs'], chat['stream']], ['m', true, true])
  })

  it('is a model by its name or another one of it, the only one where none is named', () => {
    const data = [{ id: 'a', aliases: ['b'] }, { id: 'c' }]
    const idOf = (ref: string): string => servedModel({ data }, ref).id
    assert.deepEqual(['vllm:a', 'vllm:b', 'vllm:c'].map(idOf), ['a', 'a', 'c'])
    for (const wrong of ['vllm:d', 'served:box']) assert.throws(() => idOf(wrong), { kind: 'failed' })
    assert.equal(servedModel({ data: [{ id: 'c' }] }, 'served:box').id, 'c')
    assert.throws(() => servedModel({ data: [] }, 'served:box'), /serves no model/)
    assert.equal(servedModel([{ id: 'a' }, { id: 'b' }], 'openai:b').id, 'b', 'Together has a bare list')
    assert.throws(() => servedModel('none', 'served:box'), /serves no model/)
  })

  it('has vectors and scores by their places, one for each', async () => {
    const embed = (answer: Json) =>
      openAiEmbeddings(answering({ '/v1/embeddings': answer }).client, { v1: '/v1', model: 'm' }, ['a', 'b'], signal)
    const data = [
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ]
    assert.deepEqual(await embed({ data, usage: { prompt_tokens: 3 } }), { vectors: [[1], [2]], tokens_in: 3 })
    assert.ok((await embed({ data })).tokens_in > 0)
    for (const wrong of [[], data.slice(1), [{ embedding: [1] }, { embedding: [] }]])
      await assert.rejects(embed({ data: wrong }), { kind: 'nonsense' })
    const rank = (results: Json, more = {}) =>
      rerank(answering({ '/rerank': { results, ...more } }).client, { query: 'q', documents: ['a', 'b'] }, signal)
    const results = [
      { index: 1, relevance_score: 2 },
      { index: 0, relevance_score: 1 },
    ]
    assert.deepEqual(await rank(results, { usage: { total_tokens: 4 } }), { scores: [1, 2], tokens_in: 4 })
    for (const wrong of [results.slice(1), [results[0]!, { index: 0 }]]) await assert.rejects(rank(wrong), { kind: 'nonsense' })
  })

  it('is at the root of a URL that may have the version of the API', () => {
    for (const url of ['http://a:1', 'http://a:1/', 'http://a:1/v1', 'http://a:1/v1/']) assert.equal(rootUrl(url), 'http://a:1')
    assert.equal(rootUrl('http://a:1/v1/more'), 'http://a:1/v1/more')
  })
})

describe('what Ollama, TGI and Triton are asked', () => {
  it('has messages in the form of Ollama', () => {
    const messages = [
      { role: 'developer' as const, content: 'a' },
      { role: 'tool' as const, content: 'b', tool_call_id: 'c', name: 'look' },
    ]
    const body = ollamaBody(request({ chat: { reasoning_effort: 'minimal' } }), { messages }, 'm', 9) as {
      messages: object[]
      think: unknown
    }
    assert.deepEqual(JSON.parse(JSON.stringify(body.messages)), [
      { role: 'system', content: 'a' },
      { role: 'tool', content: 'b', tool_name: 'look', tool_call_id: 'c' },
    ])
    assert.equal(body.think, 'low')
  })

  it('is a model of Ollama with its tag or without, loaded by a prompt unless it embeds, with a vector for each input', async () => {
    const table = (capability: string) => ({
      '/api/version': { version: '1' },
      '/api/tags': { models: [{ name: 'm:latest', capabilities: [capability] }] },
      '/api/ps': { models: [] },
      '/api/generate': {},
      '/api/embed': { embeddings: [[1]] },
    })
    for (const [capability, loads] of [
      ['completion', 1],
      ['embedding', 0],
    ] as const)
      for (const ref of ['ollama:m', 'ollama:m:latest', 'served:box']) {
        const { client, asked } = answering(table(capability))
        const dialect = ollamaDialect(ref, 9)
        assert.equal((await dialect.inspect(client, signal)).model, 'm:latest')
        assert.equal(asked.filter(([path]) => path === '/api/generate').length, loads)
        await assert.rejects(async () => dialect.embed?.(client, ['a', 'b'], server, signal), { kind: 'nonsense' })
      }
  })

  it('has no choice among tokens where TGI is greedy', () => {
    const parameters = (sampling: object) => (tgiBody(request({ sampling }), 'a') as { parameters: Record<string, unknown> }).parameters
    const names = ['do_sample', 'temperature', 'top_p', 'top_k', 'repetition_penalty']
    const told = (sampling: object): unknown[] => names.map((name) => parameters(sampling)[name])
    assert.deepEqual(told({ temperature: 0, top_p: 0.5, top_k: 5 }), [false, undefined, undefined, undefined, undefined])
    assert.deepEqual(told({ temperature: 1, top_p: 0.5, top_k: 5, repeat_penalty: 1.1 }), [true, 1, 0.5, 5, 1.1])
    assert.deepEqual(told({ top_p: 1, top_k: 0, repeat_penalty: 0 }), [undefined, undefined, undefined, undefined, undefined])
  })

  it('has the name of a model of Triton as part of a path', async () => {
    const path = '/v2/models/a%2Fb'
    const { client } = answering({
      '/v2': { version: '1' },
      '/v2/repository/index': [[{ name: 'a/b' }]],
      [path]: { inputs: [{ name: 'stop' }] },
    })
    const { health, features } = await tritonDialect('triton:a/b', 9).inspect(client, signal)
    assert.deepEqual([health, features], [`${path}/ready`, ['stop_sequences']])
  })
})

describe('what llama-server is asked', () => {
  it('has a seed that it does not draw, and likely tokens where they are asked for', () => {
    assert.deepEqual([seedOf(7), seedOf(4_294_967_295)], [7, 4_294_967_294])
    const probs = (chat: object) => (llamaBody(request({ chat }), 'a') as Record<string, unknown>)['n_probs']
    assert.deepEqual([probs({ logprobs: true }), probs({ logprobs: true, top_logprobs: 3 }), probs({})], [1, 3, undefined])
    const plan = llamaServerDialect('served:box').generation(request({ seed: 4_294_967_295, kv: 'reuse' }), server, () => undefined)
    const { seed, cache_prompt } = plan.body as Record<string, unknown>
    assert.deepEqual([seed, cache_prompt], [4_294_967_294, true])
  })

  it('tells a share of its cache that is one', async () => {
    const usage = (slots: Json) => llamaServerDialect('served:box').kvUsage?.(answering({ '/slots': [slots] }).client, server, signal)
    const slot = (n_prompt_tokens: number, n_decoded: number): Json => ({ n_ctx: 10, n_prompt_tokens, next_token: [{ n_decoded }] })
    assert.equal(await usage([slot(3, 2), slot(0, 0)]), 0.25)
    assert.equal(await usage([slot(30, 2)]), 1)
    assert.equal(await usage([]), undefined)
  })

  it('is the model that is loaded where it is a router and none is named, and is unloaded when it says so', async () => {
    const models = (...states: string[]): Json => ({ data: states.map((value, i) => ({ id: `m${i}`, status: { value } })) })
    assert.equal(await routedModel(answering({ '/models': models('unloaded', 'loaded') }).client, 'served:box', signal), 'm1')
    const several = answering({ '/models': models('unloaded', 'unloaded') }).client
    await assert.rejects(routedModel(several, 'served:box', signal), { kind: 'failed' })
    const { client, asked, clock } = answering({
      '/models': [models('loaded'), models('loaded'), models('unloaded')],
      '/models/unload': {},
    })
    const unloaded = unloadModel(client, 'm0', signal)
    await clock.advance(249)
    assert.equal(asked.length, 3)
    await clock.advance(1)
    await unloaded
    assert.equal(asked.length, 4)
  })
})

describe('the probe of an engine that may give the same answer again', () => {
  const probe = { prompt_tokens: 1, tokens_out: 1, prefill_ms: 1, decode_ms: 1 }

  it('asks twice with one seed, the second time beside another where it has room', async () => {
    for (const [slots, seeds] of [
      [1, [0, 0]],
      [2, [0, 1, 0]],
    ] as const) {
      const asked: number[] = []
      const run = ({ seed }: { seed: number }) => Promise.resolve({ text: `${asked.push(seed) > 0}`, probe })
      assert.deepEqual(await provesReplay(run, slots, server), { replayable: true, probe })
      assert.deepEqual(asked.map((seed) => seed - asked[0]!).toSorted(), [...seeds].sort())
    }
  })

  it('is not proven by an answer that differs, nor where there is none', async () => {
    let times = 0
    const differing = () => Promise.resolve({ text: String(times++), probe })
    assert.equal((await provesReplay(differing, 1, server)).replayable, false)
    const never = () => assert.fail('it was asked')
    assert.deepEqual(await provesReplay(never, 1, { ...server, workloads: ['embedding'] }), { replayable: false })
  })

  it('is not proven where the server takes no prompts, as most clouds: that keeps it from nothing else', async () => {
    const refused = () => Promise.reject(new EngineFault('refused', 'no such call'))
    assert.deepEqual(await provesReplay(refused, 2, server), { replayable: false })
    const failed = () => Promise.reject(new EngineFault('failed', 'it failed'))
    await assert.rejects(provesReplay(failed, 2, server), { kind: 'failed' })
  })
})
