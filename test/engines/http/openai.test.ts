import { openAiDialect } from '../../../src/adapters/engines/openai/dialect.ts'
import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import { conforms } from './conformance.ts'
import type { EngineKit } from './engine-bench.ts'
import { recording } from './engine-server.ts'

const options = {
  ...{ model_ref: 'served:box', v1: '/v1', ctx: undefined, workloads: ['completion' as const], max_tokens_field: 'max_tokens' as const },
  features: ['chat_template' as const, 'tools' as const],
}

const chats: EngineKit = {
  name: 'openai: chats',
  create: (server, clock) => new HttpEngine({ ...server, dialect: openAiDialect(options), slots: 2, replayable: false, clock }),
  welcome: (server) => server.on('GET /v1/models', recording('llama-server/models')),
  route: 'POST /v1/chat/completions',
  type: 'text/event-stream',
  request: {},
  answer: recording('llama-server/v1-chat-stream'),
  text: ' 1, 2, 3.',
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10, tokens_in_cached: 7, kv_warm: true },
  noise: ': ping\n\n',
  error: 'data: {"error":{"message":"secret","type":"server_error","code":500}}\n\n',
  afterError: 'data: [DONE]\n\n',
}

conforms(chats)
conforms({
  ...chats,
  name: 'openai: prompts',
  route: 'POST /v1/completions',
  request: { prompt: { text: 'Once upon a time' } },
  answer: recording('vllm/completions-stream'),
  text: ' there was a quick f',
  result: { finish_reason: 'length', tokens_in: 5, tokens_out: 6 },
})
