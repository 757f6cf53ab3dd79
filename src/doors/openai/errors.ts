import type { components } from '../../../generated/openai.ts'
import type { DomainError, ReplyKind } from '../../domain/errors.ts'
import { messageIn } from '../common/field-names.ts'
import { fieldNamesOf } from './field-names.ts'

type Body = components['schemas']['ErrorEnvelope']

const typeOf = (status: number): string => {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** What programs look for where it is not our own code in small letters. */
const codeOf: Partial<Readonly<Record<ReplyKind, string>>> = {
  prompt_too_long: 'context_length_exceeded',
  not_found: 'model_not_found',
  wrong_key: 'invalid_api_key',
}

/** The field that a message begins with. */
const paramOf = (message: string): string | null => /^body\.([^\s:]+):/.exec(message)?.[1] ?? null

/** How this door tells errors: `{error: {message, type, param, code}}`. */
export const openaiErrors = {
  body(error: DomainError, { status, operation_id }: { readonly status: number; readonly operation_id?: string | undefined }): Body {
    const { context, absent } = error.details
    const code = absent === undefined ? (codeOf[error.kind] ?? error.code.toLowerCase()) : `${absent}_not_found`
    const said = messageIn(fieldNamesOf(operation_id), error)
    const message =
      context === undefined
        ? said
        : `This model's maximum context length is ${context.ctx_max} tokens. However, your messages resulted in ${context.prompt_tokens} tokens.`
    return { error: { message, type: typeOf(status), param: paramOf(said), code } }
  },
  request_id: 'x-request-id',
  statuses: { wrong_key: 401 },
  most_retry_s: 60,
} as const
