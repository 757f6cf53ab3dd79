import type { ChatMessage, Feature, TaskRequest } from './task.ts'

/** The text of a message, its parts joined; empty where it has none. */
export function textOf(content: ChatMessage['content']): string {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** What a task asks of its engine beside text, each with the field that asks for it. */
export function featuresOf(request: TaskRequest): ReadonlyMap<Feature, string> {
  const needs = new Map<Feature, string>()
  const need = (feature: Feature, field: string, asked: boolean): void => {
    if (asked && !needs.has(feature)) needs.set(feature, field)
  }
  const { messages, sampling, response_format: format } = request
  need('chat_template', 'messages', messages !== undefined)
  need('tools', 'tools', request.tools !== undefined)
  need('json_object', 'response_format', format?.type === 'json_object')
  need('json_schema', 'response_format', format?.type === 'json_schema')
  need('reasoning', 'reasoning_effort', request.reasoning_effort !== undefined)
  need('token_inputs', 'inputs', request.inputs?.some((input) => typeof input !== 'string') === true)
  need('logprobs', 'logprobs', request.logprobs === true)
  need('logit_bias', 'sampling.logit_bias', sampling?.logit_bias !== undefined)
  need('penalties', 'sampling.frequency_penalty', sampling?.frequency_penalty !== undefined)
  need('penalties', 'sampling.presence_penalty', sampling?.presence_penalty !== undefined)
  messages?.forEach((message, index) => {
    const field = `messages[${index}]`
    need('system_messages', field, message.role === 'system' || message.role === 'developer')
    need('tools', field, message.role === 'tool' || message.tool_calls !== undefined)
    need('reasoning', `${field}.reasoning_content`, message.reasoning_content !== undefined)
    if (!Array.isArray(message.content)) return
    need(
      'images',
      `${field}.content`,
      message.content.some(({ type }) => type === 'image_url'),
    )
    need(
      'audio',
      `${field}.content`,
      message.content.some(({ type }) => type === 'input_audio'),
    )
  })
  const last = messages?.at(-1)
  need('prefill', `messages[${(messages?.length ?? 0) - 1}].role`, last?.role === 'assistant' && last.tool_calls === undefined)
  return needs
}
