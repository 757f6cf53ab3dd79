import assert from 'node:assert/strict'
import { keys, mockTask, startDaemon, talesPool, mockPool, type TestDaemon } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { readStream } from '../harness/sse.ts'

const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'], additionalProperties: false }
const tools = [{ type: 'function', function: { name: 'read', parameters } }]
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
const chat = { prompt: undefined, messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }, image] }] }

describe('chat over HTTP', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool(), talesPool()] })
  })
  after(() => daemon.stop())

  const framesOf = async (
    fields: Record<string, unknown>,
  ): Promise<(readonly [event: string | undefined, data: Record<string, unknown>])[]> => {
    const task = mockTask({ max_tokens: 500, ...fields })
    await post(daemon.url, keys.data, task)
    const { frames } = await readStream(daemon.url, task.task_id, keys.data)
    return frames.map(({ event, data = {} }) => [event, data])
  }

  it('thinks, calls a tool and says so, and the same seed does it again', async () => {
    const task = { ...chat, tools, tool_choice: 'required', parallel_tool_calls: false, reasoning_effort: 'minimal', seed: 11 }
    const frames = await framesOf(task)
    const of = (event: string): Record<string, unknown>[] => frames.flatMap(([name, data]) => (name === event ? [data] : []))
    assert.equal(of('reasoning').length, 4)
    const [first, ...others] = of('tool_call')
    assert.deepEqual([first?.['name'], typeof first?.['id'], others.some((one) => 'name' in one)], ['read', 'string', false])
    const given = JSON.parse(
      of('tool_call')
        .map((one) => one['arguments'])
        .join(''),
    ) as Record<string, unknown>
    assert.deepEqual([Object.keys(given), typeof given['path']], [['path'], 'string'])
    assert.deepEqual([of('end')[0]?.['finish_reason'], of('end')[0]?.['tokens_reasoning']], ['tool_calls', 4])
    const parts = (all: typeof frames): unknown => all.filter(([event]) => event === 'reasoning' || event === 'tool_call')
    assert.deepEqual(parts(await framesOf(task)), parts(frames))
  })

  it('gives JSON that fits, with how likely each token was', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'where', schema: parameters } }
    const tokens = (await framesOf({ ...chat, response_format, logprobs: true, top_logprobs: 2 })).filter(([event]) => event === 'token')
    const given = JSON.parse(tokens.map(([, data]) => data['t']).join('')) as Record<string, unknown>
    assert.equal(typeof given['path'], 'string')
    for (const [, { t, logprobs }] of tokens) {
      const [one] = logprobs as { readonly token: string; readonly top_logprobs: readonly unknown[] }[]
      assert.deepEqual([one?.token, one?.top_logprobs.length], [t, 2])
    }
  })

  it('ends a task whose schema nothing fits, and says why', async () => {
    const schema = { type: 'integer', minimum: 2, maximum: 1 }
    const frames = await framesOf({ ...chat, response_format: { type: 'json_schema', json_schema: { name: 'no', schema } } })
    const [event, data] = frames.at(-1) ?? []
    assert.deepEqual([event, data?.['code'], data?.['retriable']], ['error', 'WORKER_RESET', false])
    assert.match(String(data?.['message']), /response_format\.json_schema\.schema: #: no whole number is found/)
  })

  it('refuses what the embedded engine cannot, and names field and feature', async () => {
    const tales = { engine: 'llamacpp', model_ref: 'file:models/tinytales.gguf', ctx: undefined, max_tokens: 10 }
    const plain = { ...tales, prompt: undefined, messages: [{ role: 'user', content: 'hello' }] }
    for (const [fields, field, feature] of [
      [{ ...plain, tools }, 'tools', 'tools'],
      [{ ...plain, reasoning_effort: 'low' }, 'reasoning_effort', 'reasoning'],
      [{ ...plain, logprobs: true }, 'logprobs', 'logprobs'],
      [{ ...tales, ...chat }, 'messages[0].content', 'images'],
    ] as const) {
      const { status, json } = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask(fields) })
      const message = `body.${field}: pool tales does not have the feature ${feature}; GET /v1/capabilities lists features`
      assert.deepEqual([status, json['message']], [400, message])
    }
    const prefilled = {
      ...plain,
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'assistant', content: 'Once' },
      ],
    }
    const frames = await framesOf({ ...prefilled, sampling: { frequency_penalty: 1, logit_bias: { 300: 1 } } })
    assert.equal(frames.at(-1)?.[0], 'end')
  })
})
