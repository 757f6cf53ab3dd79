import assert from 'node:assert/strict'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { tool as langTool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { embedMany, generateText, jsonSchema, Output, streamText, tool } from 'ai'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'

const id = 'mock:v1'
const schema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
}
const prompt = 'Hello'

describe('frameworks', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool()] })
  })
  after(() => daemon.stop())

  const models = () => {
    const settings = { baseURL: `${daemon.url}/v1`, apiKey: keys.data }
    return {
      'openai-compatible': createOpenAICompatible({ ...settings, name: 'orchd', supportsStructuredOutputs: true, includeUsage: true })(id),
      openai: createOpenAI(settings).chat(id),
      anthropic: createAnthropic(settings)(id),
    }
  }

  for (const provider of ['openai-compatible', 'openai', 'anthropic'] as const)
    describe(`the AI SDK with ${provider}`, () => {
      it('generates and streams', async () => {
        const { text } = await generateText({ model: models()[provider], prompt, maxOutputTokens: 20 })
        assert.ok(text.length > 0)
        const stream = streamText({ model: models()[provider], prompt, maxOutputTokens: 20 })
        let streamed = ''
        for await (const piece of stream.textStream) streamed += piece
        assert.ok(streamed.length > 0)
        assert.ok(Number((await stream.usage).outputTokens) > 0)
      })

      it('calls tools', async () => {
        const tools = { weather: tool({ inputSchema: jsonSchema<{ city: string }>(schema), execute: ({ city }) => `sunny in ${city}` }) }
        const asking = { model: models()[provider], prompt, tools, toolChoice: 'required' as const, maxOutputTokens: 400 }
        const { toolResults } = await generateText(asking)
        assert.match(String(toolResults[0]?.output), /^sunny in /)
        const streamed = await streamText(asking).toolResults
        assert.match(String(streamed[0]?.output), /^sunny in /)
      })

      it('generates an object', async () => {
        const output = Output.object({ schema: jsonSchema<{ city: string }>(schema) })
        const answer = await generateText({ model: models()[provider], prompt, output, maxOutputTokens: 400 })
        assert.equal(typeof answer.output.city, 'string')
      })
    })

  it('the AI SDK embeds', async () => {
    const model = createOpenAI({ baseURL: `${daemon.url}/v1`, apiKey: keys.data }).embedding(id)
    const { embeddings } = await embedMany({ model, values: ['a', 'b'] })
    assert.equal(embeddings.length, 2)
  })

  describe('LangChain', () => {
    const chat = (): ChatOpenAI =>
      new ChatOpenAI({ model: id, apiKey: keys.data, maxTokens: 400, configuration: { baseURL: `${daemon.url}/v1` } })

    it('asks, streams, calls tools and gets structured output', async () => {
      assert.ok((await chat().invoke(prompt)).text.length > 0)
      let text = ''
      for await (const chunk of await chat().stream(prompt)) text += chunk.text
      assert.ok(text.length > 0)
      const weather = langTool(() => 'sunny', { name: 'weather', description: 'Weather', schema })
      const { tool_calls } = await chat().bindTools([weather], { tool_choice: 'required' }).invoke(prompt)
      assert.equal(tool_calls?.[0]?.name, 'weather')
      const structured = await chat().withStructuredOutput<{ city: string }>(schema, { name: 'place', method: 'jsonSchema' }).invoke(prompt)
      assert.equal(typeof structured.city, 'string')
    })

    it('embeds', async () => {
      const embeddings = new OpenAIEmbeddings({ model: id, apiKey: keys.data, configuration: { baseURL: `${daemon.url}/v1` } })
      assert.equal((await embeddings.embedDocuments(['a', 'b'])).length, 2)
    })
  })
})
