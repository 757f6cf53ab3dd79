// npm install ai @ai-sdk/openai-compatible; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'

const { ORCHD_URL: url = 'http://127.0.0.1:8080', ORCHD_KEY: apiKey = 'valid', ORCHD_MODEL: model = 'mock:v1' } = process.env
const orchd = createOpenAICompatible({ name: 'orchd', baseURL: `${url}/v1`, apiKey, supportsStructuredOutputs: true })
const { textStream } = streamText({ model: orchd(model), prompt: 'Say hello.' })
for await (const text of textStream) process.stdout.write(text)
