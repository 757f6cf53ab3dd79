// npm install @anthropic-ai/sdk; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import Anthropic from '@anthropic-ai/sdk'

const { ORCHD_URL: baseURL = 'http://127.0.0.1:8080', ORCHD_KEY: apiKey = 'valid', ORCHD_MODEL: model = 'mock:v1' } = process.env
const client = new Anthropic({ baseURL, apiKey })
const stream = client.messages.stream({ model, max_tokens: 1000, messages: [{ role: 'user', content: 'Say hello.' }] })
stream.on('text', (text) => process.stdout.write(text))
await stream.finalMessage()
