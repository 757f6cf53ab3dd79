import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'

const model = 'mock:v1'
const messages = [{ role: 'user' as const, content: 'Hello' }]
const input_schema = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const weather = { name: 'get_weather', description: 'Weather of a city', input_schema }

describe('the client of Anthropic', function () {
  let daemon: TestDaemon
  let client: Anthropic
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool()] })
    client = new Anthropic({ baseURL: daemon.url, apiKey: keys.data })
  })
  after(() => daemon.stop())

  it('asks whole, plainly streamed and with its helper', async () => {
    const whole = await client.messages.create({ model, messages, max_tokens: 20, system: 'Be brief.' })
    assert.ok(whole.content[0]?.type === 'text' && whole.content[0].text.length > 0)
    let text = ''
    for await (const event of await client.messages.create({ model, messages, max_tokens: 20, stream: true }))
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
    assert.ok(text.length > 0)
    const message = await client.messages.stream({ model, messages, max_tokens: 20 }).finalMessage()
    assert.match(String(message.stop_reason), /^(max_tokens|end_turn)$/)
    assert.ok(message.usage.output_tokens > 0)
  })

  it('is told which stop sequence ended the answer', async () => {
    const asking = { model, messages, max_tokens: 20, stop_sequences: ['zzz', ' '] }
    const whole = await client.messages.create(asking)
    const streamed = await client.messages.stream(asking).finalMessage()
    for (const { stop_reason, stop_sequence } of [whole, streamed]) assert.deepEqual([stop_reason, stop_sequence], ['stop_sequence', ' '])
    const another = await client.messages.create({ ...asking, stop_sequences: ['zzz'] })
    assert.deepEqual([another.stop_reason, another.stop_sequence], ['end_turn', null])
  })

  it('thinks first where it is asked to', async () => {
    const thinking = { type: 'enabled' as const, budget_tokens: 1024 }
    const { content } = await client.messages.stream({ model, messages, max_tokens: 2000, thinking }).finalMessage()
    assert.deepEqual(
      content.map(({ type }) => type),
      ['thinking', 'text'],
    )
  })

  it('calls a tool and gives its result', async () => {
    const asking = {
      model,
      messages,
      max_tokens: 400,
      tools: [weather],
      tool_choice: { type: 'any' as const, disable_parallel_tool_use: true },
    }
    for (const message of [await client.messages.create(asking), await client.messages.stream(asking).finalMessage()]) {
      assert.equal(message.stop_reason, 'tool_use')
      const call = message.content.find(({ type }) => type === 'tool_use')
      assert.ok(call?.type === 'tool_use')
      assert.equal(typeof (call.input as { city: unknown }).city, 'string')
      const result = { role: 'user' as const, content: [{ type: 'tool_result' as const, tool_use_id: call.id, content: 'sunny' }] }
      const said = { role: 'assistant' as const, content: message.content }
      const answer = await client.messages.create({
        model,
        messages: [...messages, said, result],
        max_tokens: 20,
        tools: [weather],
        tool_choice: { type: 'none' },
      })
      assert.equal(answer.content[0]?.type, 'text')
    }
  })

  it('gets structured output', async () => {
    const output_config = { format: { type: 'json_schema' as const, schema: input_schema } }
    const { content } = await client.messages.create({ model, messages, max_tokens: 400, output_config })
    assert.ok(content[0]?.type === 'text')
    assert.equal(typeof (JSON.parse(content[0].text) as { city: unknown }).city, 'string')
  })

  it('counts tokens, and as many as are used', async () => {
    const { input_tokens } = await client.messages.countTokens({ model, messages })
    const { usage } = await client.messages.create({ model, messages, max_tokens: 1 })
    assert.equal(usage.input_tokens, input_tokens)
  })

  it('lists models and finds one', async () => {
    const found: string[] = []
    for await (const { id } of client.models.list()) found.push(id)
    assert.deepEqual(found, [model, 'mock'])
    const retrieved = await client.models.retrieve(model).withResponse()
    assert.equal(retrieved.data.display_name, model)
    assert.ok(retrieved.request_id)
  })

  it('is told what is wrong with a base URL that ends in /v1', async () => {
    const misled = new Anthropic({ baseURL: `${daemon.url}/v1`, apiKey: keys.data })
    await assert.rejects(misled.messages.create({ model, messages, max_tokens: 1 }), /\/v1 is twice in the base URL/)
  })

  it('hears of errors in its own classes, and which request it was', async () => {
    await assert.rejects(client.messages.create({ model: 'nothing', messages, max_tokens: 1 }), (error) => {
      assert.ok(error instanceof Anthropic.NotFoundError)
      assert.ok(error.requestID)
      return true
    })
    const wrong = new Anthropic({ baseURL: daemon.url, apiKey: 'wrong' })
    await assert.rejects(wrong.models.list(), Anthropic.AuthenticationError)
    const long = [{ role: 'user' as const, content: 'word '.repeat(20_000) }]
    await assert.rejects(client.messages.create({ model, messages: long, max_tokens: 1 }), /prompt is too long: \d+ tokens > 8192 maximum/)
  })
})
