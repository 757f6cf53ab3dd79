import type { components } from '../../../generated/openai.ts'
import type { DomainError, ReplyKind } from '../../domain/errors.ts'

type Body = components['schemas']['ErrorEnvelope']

const typeOf = (status: number): string => {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** What programs look for where it is not our own code in small letters. */
const codeOf: Partial<Readonly<Record<ReplyKind, string>>> = { prompt_too_long: 'context_length_exceeded', not_found: 'model_not_found' }

/** Fields of a task by what they are called at this door. */
const paramOf = (message: string): string | null => {
  const field = /^body\.([^\s:]+):/.exec(message)?.[1]
  return field === undefined ? null : field === 'model_ref' ? 'model' : field
}

/** How this door tells errors: `{error: {message, type, param, code}}`. */
export const openaiErrors = {
  body(error: DomainError, { status }: { readonly status: number }): Body {
    const { context, absent } = error.details
    const code = absent === undefined ? (codeOf[error.kind] ?? error.code.toLowerCase()) : `${absent}_not_found`
    const message =
      context === undefined
        ? error.message
        : `This model's maximum context length is ${context.ctx_max} tokens. However, your messages resulted in ${context.prompt_tokens} tokens.`
    return { error: { message, type: typeOf(status), param: paramOf(error.message), code } }
  },
  statuses: { wrong_key: 401 },
  most_retry_s: 60,
} as const
