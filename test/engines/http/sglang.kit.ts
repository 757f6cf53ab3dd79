import { canary } from './engine-bench.ts'
import { asRecorded } from './engine-server.ts'

/** A stream of SGLang: every chunk has all of these fields, the last but one no choice and the usage, and `[DONE]` comes after errors as well. */
export const sglangStream = (object: string, choices: readonly object[]): Buffer => {
  const chunk = { id: '4f0e', object, created: 1764187200, model: 'org/model' }
  const usage = {
    prompt_tokens: 9,
    total_tokens: 14,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 4 },
    reasoning_tokens: 0,
  }
  const chunks = [
    ...choices.map((choice) => ({ ...chunk, choices: [{ index: 0, ...choice }], usage: null })),
    { ...chunk, choices: [], usage },
  ]
  return asRecorded([...chunks.map((one) => JSON.stringify(one)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''))
}
/** A choice of a prompt's answer. */
export const sglangText = (text: string, finish_reason: string | null = null): object => ({
  ...{ text, logprobs: null, finish_reason, matched_stop: finish_reason === null ? null : 2 },
})
/** A choice of a chat's answer. */
export const sglangDelta = (content: string, role: string | null = null, finish_reason: string | null = null): object => ({
  delta: { role, content, reasoning_content: null, tool_calls: null },
  ...{ logprobs: null, finish_reason, matched_stop: finish_reason === null ? null : 2 },
})
/** What it tells of itself, its key among it. */
export const sglangInfo = {
  model: { model_path: '/srv/canary/model', tokenizer_path: '/srv/canary/model', is_generation: true, has_image_understanding: false },
  server: {
    ...{ version: '0.5.4', api_key: canary, host: 'canary.internal', model_path: '/srv/canary/model', max_running_requests: 48 },
    ...{
      tool_call_parser: null,
      reasoning_parser: null,
      grammar_backend: 'xgrammar',
      max_total_num_tokens: 444_000,
      internal_states: [{}],
    },
  },
}
