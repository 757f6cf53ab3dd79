import { DomainError, refuseField } from './errors.ts'
import type { ChatMessage, EmbeddingInput, TaskDraft, TaskRequest } from './task.ts'

/**
 * Rules between the fields of a task that a JSON Schema cannot say with a clear message.
 * @throws DomainError invalid_params, naming the field
 */
export function checkTaskRequest(request: TaskDraft): void {
  const { workload, prompt, messages, inputs, placement } = request
  if (workload === 'completion') {
    if (prompt === undefined && messages === undefined && request.inputs === undefined)
      throw new DomainError('invalid_params', 'body: a task needs prompt, messages or inputs')
    if ((prompt === undefined) === (messages === undefined))
      refuseField(prompt === undefined ? 'prompt' : 'messages', 'a completion takes exactly one of prompt and messages')
    if (inputs !== undefined) refuseField('inputs', 'only embedding and rerank take inputs')
  } else {
    if (messages !== undefined) refuseField('messages', 'only a completion takes messages')
    if (inputs === undefined) refuseField('inputs', `${workload} needs inputs`)
    const texts = inputs.filter((input) => typeof input === 'string').length
    if (workload === 'rerank' && texts < inputs.length) refuseField('inputs', 'rerank takes texts; only embedding takes token ids')
    if (texts > 0 && texts < inputs.length) refuseField('inputs', 'must be texts or lists of token ids, not both')
    if (workload === 'rerank' && prompt === undefined) refuseField('prompt', 'rerank needs the query as prompt')
    if (workload === 'embedding' && prompt !== undefined) refuseField('prompt', 'embedding takes inputs, not prompt')
    for (const field of ['sampling', 'logprobs', 'tools', 'response_format', 'reasoning_effort'] as const)
      if (request[field] !== undefined) refuseField(field, 'only a completion takes it')
  }
  checkChat(request)
  if (request.determinism === 'strict' && request.seed === undefined) refuseField('seed', 'determinism strict needs a seed')
  if (placement === undefined) return
  if (placement.mode === 'pin') {
    if (placement.pin_pool_id === undefined) refuseField('placement.pin_pool_id', 'mode pin needs it')
    if (placement.allow_fallback === true) refuseField('placement.allow_fallback', 'mode pin never falls back; use mode prefer')
  } else if (placement.pin_pool_id !== undefined) refuseField('placement.pin_pool_id', `only mode pin takes it, mode is ${placement.mode}`)
  if (placement.mode !== 'prefer') {
    if (placement.prefer_pools !== undefined) refuseField('placement.prefer_pools', `only mode prefer takes it, mode is ${placement.mode}`)
    if (placement.mode === 'auto' && placement.allow_fallback !== undefined)
      refuseField('placement.allow_fallback', 'only mode prefer takes it')
  } else if (placement.prefer_pools === undefined || placement.prefer_pools.length === 0)
    refuseField('placement.prefer_pools', 'mode prefer needs at least one pool')
}

/**
 * Rules of a conversation that a JSON Schema cannot say with a clear message.
 * @throws DomainError invalid_params, naming the field
 */
function checkChat(request: TaskRequest): void {
  const { messages, tools, tool_choice, parallel_tool_calls, response_format, logprobs, top_logprobs } = request
  if (messages === undefined)
    for (const field of ['tools', 'response_format', 'reasoning_effort'] as const)
      if (request[field] !== undefined) refuseField(field, 'needs messages')
  if (tools === undefined) {
    if (tool_choice !== undefined) refuseField('tool_choice', 'needs tools')
    if (parallel_tool_calls !== undefined) refuseField('parallel_tool_calls', 'needs tools')
  }
  if (typeof tool_choice === 'object' && tools?.every(({ function: { name } }) => name !== tool_choice.function.name) === true)
    refuseField('tool_choice.function.name', `there is no tool ${tool_choice.function.name}`)
  const names = tools?.map(({ function: { name } }) => name) ?? []
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (twice >= 0) refuseField(`tools[${twice}].function.name`, `${names[twice] ?? ''} is used twice`)
  if (response_format?.type === 'json_schema' && response_format.json_schema === undefined)
    refuseField('response_format.json_schema', 'type json_schema needs it')
  if (response_format !== undefined && response_format.type !== 'json_schema' && response_format.json_schema !== undefined)
    refuseField('response_format.json_schema', `only type json_schema takes it, type is ${response_format.type}`)
  if (top_logprobs !== undefined && logprobs !== true) refuseField('top_logprobs', 'needs logprobs: true')
  const unknown = Object.keys(request.sampling?.logit_bias ?? {}).find((id) => !/^\d{1,10}$/.test(id))
  if (unknown !== undefined) refuseField('sampling.logit_bias', `${unknown} is not the id of a token`)
  messages?.forEach((message, index) => {
    checkMessage(message, `messages[${index}]`)
  })
}

function checkMessage({ role, content, tool_calls, tool_call_id, reasoning_content }: ChatMessage, field: string): void {
  if (role !== 'assistant' && tool_calls !== undefined) refuseField(`${field}.tool_calls`, 'only the assistant calls tools')
  if (role !== 'assistant' && reasoning_content !== undefined) refuseField(`${field}.reasoning_content`, 'only the assistant thinks')
  if (role === 'tool' && tool_call_id === undefined) refuseField(`${field}.tool_call_id`, 'role tool needs it')
  if (role !== 'tool' && tool_call_id !== undefined) refuseField(`${field}.tool_call_id`, 'only role tool takes it')
  if ((content === undefined || content === null) && tool_calls === undefined)
    refuseField(`${field}.content`, 'is required, but for a message of the assistant with tool_calls')
  if (!Array.isArray(content)) return
  content.forEach((part, index) => {
    if (part.type === 'image_url' && !part.image_url.url.startsWith('data:'))
      refuseField(`${field}.content[${index}].image_url.url`, 'only data: URLs are taken; send the image itself')
  })
}

/** Rough count of tokens where the engine cannot tell in time: about four bytes of UTF-8 a token. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4)

/** Tokens of what is to be embedded: their number, or an estimate of a text's. */
export const estimateInput = (input: EmbeddingInput): number => (typeof input === 'string' ? estimateTokens(input) : input.length)
