import assert from 'node:assert/strict'
import OpenAI from 'openai'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'

const model = 'mock:v1'
/** The same answer again. */
const seeded = { seed: 5 }
const messages = [{ role: 'user' as const, content: 'Hello' }]
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const weather = { type: 'function' as const, function: { name: 'get_weather', parameters } }

describe('the client of OpenAI', function () {
  let daemon: TestDaemon
  let client: OpenAI
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool()] })
    client = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: keys.data })
  })
  after(() => daemon.stop())

  it('chats, whole and streamed, and gets the same', async () => {
    const whole = await client.chat.completions.create({ model, messages, ...seeded })
    const stream = await client.chat.completions.create({
      model,
      messages,
      ...seeded,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    assert.equal(text, whole.choices[0]?.message.content)
    assert.deepEqual(usage, whole.usage)
    assert.ok(text.length > 0)
  })

  it('knows the id of each request, by which the log has it', async () => {
    const headers = { 'X-Correlation-Id': 'mine' }
    const { _request_id } = await client.chat.completions.create({ model, messages }, { headers })
    const stream = await client.responses.create({ model, input: 'Hello', max_output_tokens: 5, stream: true }, { headers }).withResponse()
    stream.data.controller.abort()
    const refused = await client.embeddings.create({ model: 'nobody', input: 'a' }, { headers }).catch((error: unknown) => error)
    assert.ok(refused instanceof OpenAI.NotFoundError)
    const { request_id } = await client.models.list({ headers }).withResponse()
    assert.deepEqual([_request_id, stream.request_id, refused.requestID, request_id], ['mine', 'mine', 'mine', 'mine'])
  })

  for (const [base, end] of [
    ['', '/v1 is missing at the end of the base URL'],
    ['/v1/v1', '/v1 is twice in the base URL'],
  ] as const)
    it(`is told what is wrong with the base URL ${base === '' ? 'without /v1' : base}`, async () => {
      const misled = new OpenAI({ baseURL: `${daemon.url}${base}`, apiKey: keys.data })
      await assert.rejects(misled.chat.completions.create({ model, messages }), (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError)
        assert.ok(error.message.includes(end), error.message)
        assert.equal(error.code, 'route_not_found')
        return true
      })
    })

  it('streams with its helper', async () => {
    const stream = client.chat.completions.stream({ model, messages, seed: 5 })
    const { choices } = await stream.finalChatCompletion()
    assert.ok(choices[0]?.message.content)
  })

  it('runs tools to an answer by itself', async () => {
    const asked: unknown[] = []
    const run = (given: string): string => {
      asked.push(JSON.parse(given))
      return 'sunny'
    }
    const tools = [{ type: 'function' as const, function: { ...weather.function, function: run, description: 'Weather of a city' } }]
    const runner = client.chat.completions.runTools({ model, messages, tools, tool_choice: 'auto', seed: 1, max_tokens: 400 })
    await runner.finalChatCompletion()
    for (const one of asked) assert.equal(typeof (one as { city: unknown }).city, 'string')
  })

  it('calls a tool, streamed and whole, and gives its result', async () => {
    const asking = {
      model,
      messages,
      tools: [weather],
      tool_choice: 'required' as const,
      parallel_tool_calls: false,
      seed: 11,
      max_tokens: 400,
    }
    const { choices } = await client.chat.completions.create(asking)
    const streamed = await client.chat.completions.stream(asking).finalChatCompletion()
    const [message, same] = [choices[0]?.message, streamed.choices[0]?.message]
    const call = message?.tool_calls?.[0]
    assert.ok(call?.type === 'function')
    assert.equal(choices[0]?.finish_reason, 'tool_calls')
    assert.equal(typeof (JSON.parse(call.function.arguments) as { city: unknown }).city, 'string')
    const again = same?.tool_calls?.[0]
    assert.equal(again?.type === 'function' && again.function.arguments, call.function.arguments)
    assert.ok(message)
    const result = { role: 'tool' as const, tool_call_id: call.id, content: 'sunny' }
    const answer = await client.chat.completions.create({
      model,
      messages: [...messages, message, result],
      tools: [weather],
      tool_choice: 'none',
    })
    assert.ok(answer.choices[0]?.message.content)
  })

  it('gets structured output', async () => {
    const response_format = { type: 'json_schema' as const, json_schema: { name: 'place', strict: true, schema: parameters } }
    const { choices } = await client.chat.completions.parse({ model, messages, response_format, seed: 2, max_tokens: 400 })
    assert.equal(typeof (JSON.parse(choices[0]?.message.content ?? '') as { city: unknown }).city, 'string')
  })

  it('embeds as base64 unasked, and as numbers', async () => {
    const input = ['a', 'b']
    const { data } = await client.embeddings.create({ model, input })
    const numbers = await client.embeddings.create({ model, input, encoding_format: 'float' })
    assert.equal(data.length, 2)
    // The mock's vectors have the length 1, whatever seed they were drawn with.
    for (const { embedding } of [...data, ...numbers.data]) {
      assert.equal(embedding.length, data[0]?.embedding.length)
      assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5)
    }
  })

  it('embeds at the length that the model has anyway, and says how long that is where another is asked for', async () => {
    const { data } = await client.embeddings.create({ model, input: 'a', dimensions: 16 })
    assert.equal(data[0]?.embedding.length, 16)
    const shorter = client.embeddings.create({ model, input: 'a', dimensions: 8 })
    await assert.rejects(
      shorter,
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'dimensions' && error.message.includes('16'),
    )
  })

  it('embeds token ids, each list as one input, and counts them', async () => {
    const of = (input: OpenAI.EmbeddingCreateParams['input']) => client.embeddings.create({ model, input, encoding_format: 'float' })
    const one = await of([1, 2, 3])
    const several = await of([[1, 2, 3], [4]])
    assert.deepEqual([one.data.length, one.usage.prompt_tokens], [1, 3])
    assert.deepEqual([several.data.length, several.usage.prompt_tokens], [2, 4])
  })

  for (const input of [[1, 'a'], [[1], 'a'], [''], [[1], 2], [1.5], [-1], [[]], []])
    it(`is told that ${JSON.stringify(input)} cannot be embedded`, async () => {
      const asked = client.embeddings.create({ model, input: input as string[] })
      await assert.rejects(asked, (error) => error instanceof OpenAI.BadRequestError && error.message.includes('body.input'))
    })

  it('tells how likely the tokens of an old completion were, whole and streamed', async () => {
    const asking = { model, prompt: 'Once', max_tokens: 5, logprobs: 2, ...seeded }
    const [whole] = (await client.completions.create(asking)).choices
    const { tokens, token_logprobs, top_logprobs, text_offset } = whole!.logprobs!
    assert.equal(tokens!.join(''), whole!.text)
    assert.equal(token_logprobs!.length, 5)
    assert.ok(token_logprobs!.every((value) => value <= 0))
    for (const tops of top_logprobs!) assert.equal(Object.keys(tops).length, 2)
    assert.deepEqual(
      text_offset,
      tokens!.map((_token, index) => tokens!.slice(0, index).join('').length),
    )
    const streamed: number[] = []
    for await (const { choices } of await client.completions.create({ ...asking, stream: true }))
      streamed.push(...(choices[0]?.logprobs?.text_offset ?? []))
    assert.deepEqual(streamed, text_offset)
    const [bare] = (await client.completions.create({ ...asking, logprobs: 0 })).choices
    assert.deepEqual([bare!.logprobs!.tokens, bare!.logprobs!.top_logprobs], [tokens, null])
  })

  it('completes a text', async () => {
    const { choices } = await client.completions.create({ model, prompt: 'Once', max_tokens: 5 })
    assert.ok(choices[0]?.text)
    let text = ''
    for await (const chunk of await client.completions.create({ model, prompt: 'Once', max_tokens: 5, stream: true }))
      text += chunk.choices[0]?.text ?? ''
    assert.ok(text.length > 0)
  })

  it('lists models and finds one', async () => {
    const { data } = await client.models.list()
    assert.deepEqual(
      data.map(({ id }) => id),
      [model, 'mock'],
    )
    const { id, created } = await client.models.retrieve(model)
    // Seconds: as milliseconds it would be thousands of years from now.
    assert.deepEqual([id, new Date(created * 1000).getUTCFullYear() - new Date().getUTCFullYear() < 1], [model, true])
    await assert.rejects(client.models.retrieve('nothing'), OpenAI.NotFoundError)
  })

  it('hears of errors in its own classes', async () => {
    const wrong = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: 'wrong' })
    await assert.rejects(wrong.models.list(), OpenAI.AuthenticationError)
    await assert.rejects(client.chat.completions.create({ model, messages, n: 2 }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError)
      assert.deepEqual([error.param, error.code], ['n', 'invalid_params'])
      return true
    })
    const long = [{ role: 'user' as const, content: 'word '.repeat(20_000) }]
    await assert.rejects(
      client.chat.completions.create({ model, messages: long }),
      (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded',
    )
  })
})
