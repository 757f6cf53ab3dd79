import { HttpEngine } from '../../../src/adapters/engines/http/engine.ts'
import type { Dialect } from '../../../src/adapters/engines/http/dialect.ts'
import { llamaServerDialect } from '../../../src/adapters/engines/llamacpp/server/dialect.ts'
import { ollamaDialect } from '../../../src/adapters/engines/ollama/dialect.ts'
import { openAiDialect } from '../../../src/adapters/engines/openai/dialect.ts'
import { sglangDialect } from '../../../src/adapters/engines/sglang/dialect.ts'
import { tgiDialect } from '../../../src/adapters/engines/tgi/dialect.ts'
import { tritonDialect } from '../../../src/adapters/engines/triton/dialect.ts'
import { vllmDialect } from '../../../src/adapters/engines/vllm/dialect.ts'
import { canary, type EngineKit } from './engine-bench.ts'
import { asRecorded, recording, type Answer, type EngineServer } from './engine-server.ts'
import { sglangDelta, sglangInfo, sglangStream, sglangText } from './sglang.kit.ts'

const making =
  (dialect: () => Dialect): EngineKit['create'] =>
  (server, clock) =>
    new HttpEngine({ ...server, dialect: dialect(), slots: 2, replayable: false, clock })
const answering =
  (routes: Readonly<Record<string, Answer | Buffer>>) =>
  (server: EngineServer): void => {
    for (const [route, answer] of Object.entries(routes)) server.on(route, answer)
  }
const pool = { replayable: false, replicas: [{ id: 'r0', slots: 2 }] }
const events = { type: 'text/event-stream', noise: ': ping\n\n', ending: 'data: [DONE]\n\n' }
const openAiError = `data: ${JSON.stringify({ error: { message: canary, type: 'server_error', code: 500 } })}\n\n`

const llamaPrompts: EngineKit = {
  ...{ engine: 'llamacpp', workload: 'prompts', pool, ...events },
  create: making(() => llamaServerDialect('served:llamacpp')),
  welcome: answering({
    'GET /health': recording('llama-server/health'),
    'GET /props': recording('llama-server/props'),
    'GET /slots': recording('llama-server/slots-busy'),
    'GET /v1/models': recording('llama-server/models'),
    'POST /completion': recording('llama-server/completion-nostream'),
    'POST /v1/embeddings': recording('llama-server/embeddings-unsupported'),
    'POST /rerank': recording('llama-server/rerank-unsupported'),
    'POST /tokenize': recording('llama-server/tokenize'),
    'POST /apply-template': recording('llama-server/apply-template'),
  }),
  route: 'POST /completion',
  request: { prompt: { text: 'Count to 3.' } },
  answer: recording('llama-server/completion-eos'),
  ...{ text: ' 1, 2, 3.', piece: '1' },
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10, tokens_in_cached: 2, kv_warm: true },
  error: openAiError,
}
const llamaChats: EngineKit = {
  ...llamaPrompts,
  workload: 'chats',
  route: 'POST /v1/chat/completions',
  request: {},
  answer: recording('llama-server/v1-chat-stream'),
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10, tokens_in_cached: 7, kv_warm: true },
}

const vllmChats: EngineKit = {
  ...{ engine: 'vllm', workload: 'chats', pool, ...events },
  create: making(() => vllmDialect('served:vllm', [])),
  // What the start asks has other answers than what a test asks for, though the call is the same.
  welcome: answering({
    'GET /health': recording('vllm/health'),
    'GET /version': recording('vllm/version'),
    'GET /v1/models': recording('vllm/models'),
    'POST /v1/completions': (call) => call.json(200, {}),
    'POST /v1/chat/completions': (call) => call.json(400, { error: { message: 'no tools', code: 400 } }),
    'POST /v1/embeddings': recording('vllm/embeddings'),
    'POST /rerank': recording('vllm/rerank'),
    'POST /tokenize': recording('vllm/tokenize-chat'),
  }),
  route: 'POST /v1/chat/completions',
  request: {},
  answer: recording('vllm/chat-stream'),
  ...{ text: ' 1, 2, 3.', piece: '1' },
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10, kv_warm: false },
  error: `data: ${JSON.stringify({ error: { message: canary, type: 'InternalServerError', param: null, code: 500 } })}\n\n`,
}
const vllmPrompts: EngineKit = {
  ...vllmChats,
  workload: 'prompts',
  route: 'POST /v1/completions',
  request: { prompt: { text: 'Once upon a time' } },
  answer: recording('vllm/completions-stream'),
  ...{ text: ' there was a quick f', piece: ' a' },
  result: { finish_reason: 'length', tokens_in: 5, tokens_out: 6 },
}

const openAi = {
  ...{ model_ref: 'served:openai', v1: '/v1', ctx: undefined, workloads: ['completion' as const], max_tokens_field: 'max_tokens' as const },
  features: ['chat_template' as const, 'tools' as const],
}
const openAiChats: EngineKit = {
  ...{ engine: 'openai', workload: 'chats', pool, ...events },
  create: making(() => openAiDialect(openAi)),
  welcome: answering({ 'GET /v1/models': recording('llama-server/models') }),
  route: 'POST /v1/chat/completions',
  request: {},
  answer: recording('llama-server/v1-chat-stream'),
  ...{ text: ' 1, 2, 3.', piece: '1' },
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10, tokens_in_cached: 7, kv_warm: true },
  error: openAiError,
}
const openAiPrompts: EngineKit = {
  ...openAiChats,
  workload: 'prompts',
  route: vllmPrompts.route,
  request: vllmPrompts.request,
  answer: vllmPrompts.answer,
  ...{ text: vllmPrompts.text, piece: vllmPrompts.piece, result: vllmPrompts.result },
}

const sglangPrompts: EngineKit = {
  ...{ engine: 'sglang', workload: 'prompts', pool, ...events },
  create: making(() => sglangDialect('served:sglang')),
  welcome: answering({
    'GET /health': (call) => call.json(200, ''),
    'GET /v1/models': (call) =>
      call.json(200, {
        object: 'list',
        data: [{ id: 'org/model', object: 'model', owned_by: 'sglang', root: 'org/model', max_model_len: 4096 }],
      }),
    'GET /model_info': (call) => call.json(200, sglangInfo.model),
    'GET /server_info': (call) => call.json(200, sglangInfo.server),
    'POST /tokenize': (call) => call.json(200, { tokens: [1, 2, 3], count: 3, max_model_len: 4096 }),
  }),
  route: 'POST /v1/completions',
  request: { prompt: { text: 'a' } },
  answer: sglangStream('text_completion', [sglangText(' a'), sglangText(' fox'), sglangText(' sat'), sglangText('', 'stop')]),
  ...{ text: ' a fox sat', piece: ' a' },
  result: { finish_reason: 'stop', tokens_in: 9, tokens_out: 5, tokens_in_cached: 4, tokens_reasoning: 0, kv_warm: true },
  error: `data: ${JSON.stringify({ error: { object: 'error', message: canary, type: 'InternalServerError', param: null, code: 500 } })}\n\n`,
}
const sglangChats: EngineKit = {
  ...sglangPrompts,
  workload: 'chats',
  route: 'POST /v1/chat/completions',
  request: {},
  answer: sglangStream('chat.completion.chunk', [
    sglangDelta('', 'assistant'),
    ...[sglangDelta(' a'), sglangDelta(' fox'), sglangDelta(' sat')],
    { ...sglangDelta('', null, 'stop'), delta: { role: null, content: null, reasoning_content: null, tool_calls: null } },
  ]),
}

const ollamaChats: EngineKit = {
  ...{ engine: 'ollama', workload: 'chats', pool: { ...pool, model: 'ollama:tinytales' } },
  create: making(() => ollamaDialect('ollama:tinytales', undefined)),
  welcome: answering({
    'GET /api/version': recording('ollama/version'),
    'GET /api/tags': recording('ollama/tags'),
    'GET /api/ps': recording('ollama/ps'),
    'POST /api/generate': recording('ollama/load-only'),
  }),
  route: 'POST /api/chat',
  type: 'application/x-ndjson',
  request: {},
  answer: recording('ollama/chat-stream'),
  ...{ text: ' 1, 2, 3.', piece: '1' },
  result: { finish_reason: 'stop', tokens_in: 8, tokens_out: 10 },
  noise: '\n',
  error: `${JSON.stringify({ error: canary })}\n`,
  ending: '{"done":true,"done_reason":"stop"}\n',
}
const ollamaPrompts: EngineKit = {
  ...ollamaChats,
  workload: 'prompts',
  route: 'POST /api/generate',
  request: { prompt: { text: 'a' } },
  answer: recording('ollama/generate-stop'),
  ...{ text: ' Once upon a time there was a curious ', piece: ' a' },
  result: { finish_reason: 'stop', tokens_in: 13, tokens_out: 14 },
}

const tgiToken = (index: number, text: string, more = 'null,"details":null'): string =>
  `data: ${JSON.stringify({ index, token: { id: index, text, special: false } }).slice(0, -1)},"generated_text":${more}}\n\n`
const tgiEnd = '" a 🦊, END","details":{"finish_reason":"stop_sequence","generated_tokens":4,"input_length":9,"seed":1}'
const tgiPrompts: EngineKit = {
  ...{ engine: 'tgi', workload: 'prompts', pool, ...events },
  create: making(() => tgiDialect('served:tgi')),
  welcome: answering({
    'GET /health': (call) => call.json(200, ''),
    'GET /info': (call) =>
      call.json(200, { model_id: 'org/model', version: '3.3.7', max_total_tokens: 2048, max_concurrent_requests: 128 }),
    'POST /tokenize': (call) => call.json(200, [{ id: 1, text: 'a', start: 0, stop: 1 }]),
  }),
  route: 'POST /generate_stream',
  request: { prompt: { text: 'a' }, sampling: { stop: ['END'], temperature: 0, top_p: 1 } },
  answer: asRecorded(tgiToken(1, ' a') + tgiToken(2, ' 🦊') + tgiToken(3, ', EN') + tgiToken(4, 'D', tgiEnd)),
  ...{ text: ' a 🦊, ', piece: ' a' },
  result: { finish_reason: 'stop', tokens_in: 9, tokens_out: 4 },
  error: `data: ${JSON.stringify({ error: canary, error_type: 'generation' })}\n\n`,
}
const tgiChats: EngineKit = {
  ...tgiPrompts,
  workload: 'chats',
  route: 'POST /v1/chat/completions',
  request: {},
  answer: recording('vllm/chat-stream'),
  ...{ text: ' 1, 2, 3.', piece: '1' },
  result: vllmChats.result,
}

const tritonPrompts: EngineKit = {
  ...{ engine: 'triton', workload: 'prompts', pool: { ...pool, model: 'triton:tales', ctx: 4096 }, ...events },
  create: making(() => tritonDialect('triton:tales', 4096)),
  welcome: answering({
    'GET /v2/health/ready': recording('triton/ready'),
    'GET /v2': recording('triton/server-metadata'),
    'GET /v2/models/tales': recording('triton/model-metadata'),
    'GET /v2/models/tales/ready': recording('triton/model-ready'),
    'POST /v2/repository/index': (call) => call.json(200, [{ name: 'tales', version: '1', state: 'READY', reason: '' }]),
  }),
  route: 'POST /v2/models/tales/generate_stream',
  request: { prompt: { text: 'go' }, max_tokens: 14 },
  answer: recording('triton/generate-stream'),
  ...{ text: 'Once upon a time there was a patient fox named Nell 🦊 日本 Once', piece: ' upon' },
  endsWithBody: true,
  result: { finish_reason: 'length', tokens_out: 14 },
  error: `data: ${JSON.stringify({ error: canary })}\n\n`,
}

/** Every engine over HTTP, with each kind of call that it generates by. */
export const kits = {
  ...{ llamaPrompts, llamaChats, vllmPrompts, vllmChats, sglangPrompts, sglangChats, openAiPrompts, openAiChats },
  ...{ ollamaPrompts, ollamaChats, tgiPrompts, tgiChats, tritonPrompts },
} as const
