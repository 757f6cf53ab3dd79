import assert from 'node:assert/strict'
import { chatTask } from '../../../src/doors/openai/chat-request.ts'
import { completionTask } from '../../../src/doors/openai/completion-request.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]
const common = { workload: 'completion', determinism: 'best_effort', kv_hint: 'reuse', output_mode: 'text' }
const refusal = { kind: 'invalid_params' }
const tool = { type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }

describe('a chat at the door of OpenAI', () => {
  const chat = (more: object) => chatTask({ messages, ...more })
  const task = (more: object) => chat(more).request

  it('has what every task of a chat has, whatever stands there as null or as what is usual', () => {
    const nothing = { n: 1, functions: [], modalities: ['text'], tools: [], stop: null, seed: null, logprobs: false, top_logprobs: 3 }
    const usual = { frequency_penalty: 0, presence_penalty: 0, logit_bias: {}, response_format: { type: 'text' }, reasoning_effort: null }
    const unused = { tool_choice: 'required', parallel_tool_calls: false, temperature: null, model: null }
    assert.deepEqual(chat({ ...nothing, ...usual, ...unused }), { request: { ...common, messages: [{ role: 'user', content: 'Hi' }] } })
  })

  it('has each field where tasks have it', () => {
    const sampling = { temperature: 0, top_p: 0.5, frequency_penalty: 1, presence_penalty: -1, logit_bias: { 1: -100 } }
    const { request, most_tokens } = chat({
      ...sampling,
      model: 'm',
      seed: 7,
      stop: ['', 'END'],
      logprobs: true,
      top_logprobs: 3,
      max_tokens: 9,
    })
    const { messages: _, ...rest } = request
    const logprobs = { logprobs: true, top_logprobs: 3 }
    assert.deepEqual(rest, { ...common, ...logprobs, model_ref: 'm', seed: 7, sampling: { ...sampling, stop: ['END'] } })
    assert.equal(most_tokens, 9)
    assert.deepEqual(task({ stop: 'END' }).sampling, { stop: ['END'] })
    assert.equal(task({ stop: '' }).sampling, undefined)
    assert.equal(chat({ max_tokens: 9, max_completion_tokens: 5 }).most_tokens, 5)
    const local = { top_k: 20, min_p: 0.05, repetition_penalty: 1.1 }
    assert.deepEqual(task(local).sampling, { top_k: 20, min_p: 0.05, repeat_penalty: 1.1 })
    assert.deepEqual(task({ top_k: -1, min_p: null, repeat_penalty: 1.2 }).sampling, { top_k: 0, repeat_penalty: 1.2 })
    assert.deepEqual(completionTask({ prompt: 'a', ...local }).request.sampling, { top_k: 20, min_p: 0.05, repeat_penalty: 1.1 })
    assert.deepEqual([task({ seed: -1 }).seed, task({ seed: 2 ** 32 + 5 }).seed], [4_294_967_295, 5])
  })

  it('offers its tools, and has them called as it says', () => {
    const one = { type: 'function', function: { name: 'look' } }
    const made = task({ tools: [tool, { type: 'custom' }], parallel_tool_calls: false, tool_choice: one })
    assert.deepEqual([made.tools, made.tool_choice, made.parallel_tool_calls], [[tool], one, false])
    for (const choice of ['none', 'auto', 'required']) assert.equal(task({ tools: [tool], tool_choice: choice }).tool_choice, choice)
    for (const wrong of ['all', { type: 'function' }]) assert.throws(() => task({ tools: [tool], tool_choice: wrong }), refusal)
  })

  it('has its messages as engines know them', () => {
    const parts = (...content: object[]) => task({ messages: [{ role: 'user', content }] }).messages?.[0]?.content
    const image = (more: object) => ({ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', ...more } })
    assert.deepEqual(parts({ type: 'refusal', refusal: 'No.' }), [{ type: 'text', text: 'No.' }])
    assert.deepEqual(parts(image({ detail: 'low' }), image({ detail: 'high' }), image({ detail: 'auto' })), [
      image({ detail: 'low' }),
      image({ detail: 'high' }),
      image({}),
    ])
    assert.deepEqual(parts({ type: 'text', text: 'a', refusal: null, image_url: null, input_audio: null }), [{ type: 'text', text: 'a' }])
    assert.equal(parts(), '')
    assert.throws(() => parts({ type: 'file' }), refusal)
    const calls = [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }]
    const said = [
      { role: 'assistant', content: null, tool_calls: calls, name: '', reasoning_content: '', tool_call_id: 'no' },
      { role: 'tool', content: 'seen', tool_call_id: 'c1', reasoning_content: 'no' },
      { role: 'assistant', content: 'I see.', reasoning_content: 'hm', name: 'bob' },
    ]
    assert.deepEqual(task({ messages: said }).messages, [
      { role: 'assistant', tool_calls: calls },
      { role: 'tool', content: 'seen', tool_call_id: 'c1' },
      { role: 'assistant', content: 'I see.', name: 'bob', reasoning_content: 'hm' },
    ])
  })

  it('asks for JSON, by a schema where it has one', () => {
    assert.deepEqual(task({ response_format: { type: 'json_object' } }).response_format, { type: 'json_object' })
    const json_schema = { name: 'n', schema: { type: 'object' }, description: 'd', strict: false }
    assert.deepEqual(task({ response_format: { type: 'json_schema', json_schema } }).response_format, { type: 'json_schema', json_schema })
    assert.throws(() => task({ response_format: { type: 'json_schema', json_schema: { name: 'n' } } }), refusal)
  })

  for (const wrong of [
    { n: 2 },
    { functions: [{ name: 'f' }] },
    { modalities: ['audio'] },
    { messages: [{ role: 'function', content: '' }] },
  ])
    it(`is refused where it cannot be done: ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => chat(wrong), refusal)
    })
})

describe('a completion at the door of OpenAI', () => {
  const completion = (more: object) => completionTask({ prompt: 'Once', ...more })

  it('goes on with one text, for sixteen tokens unless it says how many', () => {
    assert.deepEqual(completion({}), { request: { ...common, prompt: 'Once' }, most_tokens: 16 })
    assert.deepEqual(completion({ prompt: ['Once'], max_tokens: 3, n: 1, best_of: 1, echo: false, suffix: '' }).most_tokens, 3)
    const { request } = completion({ logprobs: 0, seed: -1, stop: 'END', temperature: 0 })
    assert.deepEqual([request.logprobs, request.top_logprobs, request.seed], [true, 0, 4_294_967_295])
    assert.deepEqual(request.sampling, { temperature: 0, stop: ['END'] })
    assert.equal(completion({ logprobs: null }).request.logprobs, undefined)
  })

  for (const wrong of [{ n: 2 }, { best_of: 2 }, { echo: true }, { suffix: 'end' }, { prompt: ['a', 'b'] }, { prompt: [1, 2] }])
    it(`is refused where it cannot be done: ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => completion(wrong), refusal)
    })
})
