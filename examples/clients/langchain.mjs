// npm install @langchain/openai @langchain/core; ORCHD_URL, ORCHD_KEY and ORCHD_MODEL may say where, who and what.
import { ChatOpenAI } from '@langchain/openai'

const { ORCHD_URL: url = 'http://127.0.0.1:8080', ORCHD_KEY: apiKey = 'valid', ORCHD_MODEL: model = 'mock:v1' } = process.env
const chat = new ChatOpenAI({ model, apiKey, configuration: { baseURL: `${url}/v1` } })
for await (const chunk of await chat.stream('Say hello.')) process.stdout.write(chunk.text)
