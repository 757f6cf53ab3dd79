// npm install openai; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import OpenAI from 'openai'

const { ORCHD_URL: url = 'http://127.0.0.1:8080', ORCHD_KEY: apiKey = 'valid', ORCHD_MODEL: model = 'mock:v1' } = process.env
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey })
const stream = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Say hello.' }], stream: true })
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
