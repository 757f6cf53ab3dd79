import type { components } from '../../../generated/anthropic.ts'
import type { DomainError } from '../../domain/errors.ts'
import { messageIn, type FieldNames } from '../common/field-names.ts'

type Body = components['schemas']['ErrorEnvelope']

const typeByStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'overloaded_error',
}

/** What this door calls a failure that is answered with a status. */
export const typeOf = (status: number): string => typeByStatus[status] ?? 'invalid_request_error'

/** What the fields of a task are called here. An index of a message would mislead: the system prompt is the first, and results are their own. */
const fieldNames: FieldNames = [
  [/^(?:model_ref|workload)$/, 'model'],
  [/^messages\[\d+\](?:\.(?:content|role|reasoning_content))?$/, 'messages'],
  [/^response_format(?:\.json_schema)?/, 'output_config.format'],
  [/^(tools\[\d+\])\.function\.parameters/, '$1.input_schema'],
  [/^(tools\[\d+\]|tool_choice)\.function\./, '$1.'],
  [/^sampling\.stop$/, 'stop_sequences'],
  [/^sampling\./, ''],
]

/** The message in the words that clients look for: a prompt that is too long makes an agent shorten its conversation. */
function messageOf(error: DomainError): string {
  const { context } = error.details
  return context === undefined
    ? messageIn(fieldNames, error)
    : `prompt is too long: ${context.prompt_tokens} tokens > ${context.ctx_max} maximum`
}

/** How this door tells errors: `{type: error, error: {type, message, details?}, request_id}`. */
export const anthropicErrors = {
  body(error: DomainError, { status, correlation_id }: { readonly status: number; readonly correlation_id: string }): Body {
    const { unsupported } = error.details
    const details =
      unsupported === undefined ? {} : { details: { error_code: `${unsupported}_unsupported_request`, unsupported: [unsupported] } }
    return { type: 'error', error: { type: typeOf(status), message: messageOf(error), ...details }, request_id: correlation_id }
  },
  request_id: 'request-id',
  statuses: { wrong_key: 401 },
  most_retry_s: 60,
} as const
