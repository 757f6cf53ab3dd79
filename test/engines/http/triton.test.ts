import assert from 'node:assert/strict'
import { generateBody, TritonReader } from '../../../src/adapters/engines/triton/generate.ts'
import { tritonDialect } from '../../../src/adapters/engines/triton/dialect.ts'
import { answerSink } from '../../../src/adapters/engines/http/answer.ts'
import type { EngineClient } from '../../../src/adapters/engines/http/client.ts'
import { sse } from '../../../src/adapters/engines/http/framing.ts'
import type { JsonObject } from '../../../src/adapters/engines/http/json.ts'
import type { GenerateResult } from '../../../src/ports/engine.ts'
import { request } from './engine-bench.ts'

/** Inputs of Triton's backend of vLLM. */
const likeVllm = [
  ...['text_input', 'image', 'stream', 'sampling_parameters', 'exclude_input_in_output', 'return_finish_reason'],
  ...['return_cumulative_logprob', 'return_logprobs', 'return_num_input_tokens', 'return_num_output_tokens'],
]
const asked = request({
  prompt: { text: 'go' },
  ...{ seed: 7, max_tokens: 9 },
  sampling: { temperature: 0.5, top_k: 3, repeat_penalty: 1.1, stop: ['END'] },
})

describe('a model of Triton with the inputs of TensorRT-LLM', () => {
  const names = ['temperature', 'top_k', 'frequency_penalty', 'presence_penalty', 'max_tokens', 'stop', 'seed', 'exclude_input_from_output']
  const inputs = ['text_input', ...names.map((name) => `sampling_param_${name}`), 'return_finish_reason', 'stop', 'streaming'].map(
    (name) => ({ name, datatype: name === 'stop' ? 'BOOL' : 'BYTES' }),
  )

  /** What it is sent, and what it can. */
  async function told(decoupled: boolean): Promise<{ body: Record<string, unknown>; features: unknown }> {
    const answers: Readonly<Record<string, unknown>> = {
      '/v2': { version: '2.60.0' },
      '/v2/models/m': { inputs },
      '/v2/models/m/config': { model_transaction_policy: { decoupled } },
    }
    const client = {
      get: (path: string) => Promise.resolve(answers[path]),
      postForValue: () => Promise.resolve([{ name: 'm' }]),
    } as unknown as EngineClient
    const dialect = tritonDialect('triton:m', 99)
    const props = await dialect.inspect(client, new AbortController().signal)
    const { body } = dialect.generation(asked, props, () => undefined)
    return { body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>, features: props.features }
  }

  it('is asked by their names, and not to stop, which would cancel it', async () => {
    const { body, features } = await told(true)
    assert.deepEqual(body, {
      ...{ text_input: 'go', streaming: true, return_finish_reason: true, sampling_param_exclude_input_from_output: true },
      ...{ sampling_param_max_tokens: 9, sampling_param_seed: 7, sampling_param_temperature: 0.5, sampling_param_top_k: 3 },
      sampling_param_stop: ['END'],
    })
    assert.deepEqual(features, ['stop_sequences', 'penalties'])
  })

  it('is not asked for a stream where it gives one answer alone', async () => {
    assert.ok(!Object.hasOwn((await told(false)).body, 'streaming'))
  })

  it('has all of its text so far in each answer of a stream', () => {
    const parts: string[] = []
    const reader = new TritonReader((part) => parts.push(part.text), asked, true)
    for (const text_output of ['a', 'a', 'a 🦊', 'a 🦊 b']) reader.take({ text_output })
    assert.deepEqual(parts, ['a', ' 🦊', ' b'])
    assert.equal(reader.result().tokens_out, 4)
  })

  it('that gives one answer alone is counted by an estimate', () => {
    const reader = new TritonReader(() => undefined, asked)
    reader.take({ text_output: 'Once upon a time there was', finish_reason: 'stop' })
    assert.equal(reader.result().tokens_out, 7)
  })
})

describe('a model of Triton with the inputs of vLLM', () => {
  /** How an answer ends that comes in these messages. */
  function read(...messages: JsonObject[]): GenerateResult {
    const reader = new TritonReader(() => undefined, asked)
    const sink = answerSink(sse, reader)
    for (const message of messages) sink.data(Buffer.from(`data: ${JSON.stringify({ text_output: 'a', ...message })}\n\n`))
    sink.end()
    return reader.result()
  }

  it('has what it samples by in one text, no prompt before its answer, and tells why and how much', () => {
    const { sampling_parameters, ...rest } = generateBody(asked, new Set(likeVllm)) as Record<string, unknown>
    assert.deepEqual(JSON.parse(String(sampling_parameters)), {
      ...{ max_tokens: 9, seed: 7, temperature: 0.5, top_k: 3, repetition_penalty: 1.1, stop: ['END'] },
    })
    assert.deepEqual(rest, {
      ...{ text_input: 'go', stream: true, exclude_input_in_output: true },
      ...{ return_finish_reason: true, return_num_input_tokens: true, return_num_output_tokens: true },
    })
  })

  it('can what vLLM can of that', async () => {
    const answers: Readonly<Record<string, unknown>> = {
      '/v2': { version: '2.60.0' },
      '/v2/models/m': { inputs: likeVllm.map((name) => ({ name })) },
    }
    const client = {
      get: (path: string) => Promise.resolve(answers[path]),
      postForValue: () => Promise.resolve([{ name: 'm' }]),
    } as unknown as EngineClient
    const { features } = await tritonDialect('triton:m', 99).inspect(client, new AbortController().signal)
    assert.deepEqual(features, ['stop_sequences', 'penalties'])
  })

  it('is counted by what it tells, and ends as it says', () => {
    const told = { num_input_tokens: 5, num_output_tokens: 2 }
    assert.deepEqual(read({ ...told, finish_reason: 'None' }, { ...told, finish_reason: 'stop' }), {
      ...{ finish_reason: 'stop', tokens_in: 5, tokens_out: 4, kv_warm: false },
    })
    assert.equal(read({ ...told, finish_reason: 'length' }).finish_reason, 'length')
  })

  it('has no end without a reason, and none where it has given the answer up', () => {
    assert.throws(() => read({ finish_reason: 'None' }), { kind: 'broken' })
    assert.throws(() => read({ finish_reason: 'abort' }), { kind: 'failed' })
  })
})
