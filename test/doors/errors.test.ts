import assert from 'node:assert/strict'
import { DomainError, replyErrors, type ReplyKind } from '../../src/domain/errors.ts'
import { anthropicErrors } from '../../src/doors/anthropic/errors.ts'
import { openaiErrors } from '../../src/doors/openai/errors.ts'
import { errorIn } from '../../src/middleware/error-envelope.ts'

const invalid = 'invalid_request_error'

/** Of every failure: its status at the doors, its type and code at the one of OpenAI, its type at the one of Anthropic. */
const told: Readonly<Record<ReplyKind, readonly [status: number, openai: string, code: string, anthropic: string]>> = {
  invalid_params: [400, invalid, 'invalid_params', invalid],
  prompt_too_long: [400, invalid, 'context_length_exceeded', invalid],
  method_not_allowed: [405, invalid, 'invalid_params', invalid],
  payload_too_large: [413, invalid, 'invalid_params', 'request_too_large'],
  unsupported_media_type: [415, invalid, 'invalid_params', invalid],
  deadline_unmet: [400, invalid, 'deadline_unmet', invalid],
  unauthenticated: [401, 'authentication_error', 'unauthenticated', 'authentication_error'],
  wrong_key: [401, 'authentication_error', 'invalid_api_key', 'authentication_error'],
  forbidden: [403, 'permission_error', 'forbidden', 'permission_error'],
  budget_exhausted: [403, 'permission_error', 'budget_exhausted', 'permission_error'],
  not_found: [404, invalid, 'model_not_found', 'not_found_error'],
  conflict: [409, invalid, 'conflict', invalid],
  model_deprecated: [409, invalid, 'model_deprecated', invalid],
  untrusted: [422, invalid, 'untrusted_artifact', invalid],
  queue_full: [429, 'rate_limit_error', 'admission_reject', 'rate_limit_error'],
  rate_limited: [429, 'rate_limit_error', 'admission_reject', 'rate_limit_error'],
  nothing_to_drop: [429, 'rate_limit_error', 'queue_full_drop_lru', 'rate_limit_error'],
  pool_unready: [503, 'server_error', 'pool_unready', 'overloaded_error'],
  pool_unavailable: [503, 'server_error', 'pool_unavailable', 'overloaded_error'],
  replica_exhausted: [503, 'server_error', 'replica_exhausted', 'overloaded_error'],
  internal: [500, 'server_error', 'internal', 'api_error'],
}

describe('failures at the doors', () => {
  for (const kind of Object.keys(replyErrors) as ReplyKind[])
    it(`are told as clients know them: ${kind}`, () => {
      const [status, type, code, ofAnthropic] = told[kind]
      const error = new DomainError(kind, 'why')
      assert.deepEqual(errorIn(openaiErrors, error, ''), {
        status_code: status,
        body: { error: { message: 'why', type, param: null, code } },
      })
      assert.deepEqual(errorIn(anthropicErrors, error, ''), {
        status_code: status,
        body: { type: 'error', error: { type: ofAnthropic, message: 'why' }, request_id: '' },
      })
    })

  it('of what there is not, name it; of what cannot be done, say so to programs', () => {
    const absent = new DomainError('not_found', 'none', { absent: 'file' })
    assert.equal(openaiErrors.body(absent, { status: 404 }).error.code, 'file_not_found')
    const thread = new DomainError('invalid_params', 'none', { unsupported: 'thread' })
    const { details } = anthropicErrors.body(thread, { status: 400, correlation_id: 'c' }).error
    assert.deepEqual(details, { error_code: 'thread_unsupported_request', unsupported: ['thread'] })
  })

  it('never ask a client to wait for longer than it would', () => {
    assert.deepEqual([openaiErrors.most_retry_s, anthropicErrors.most_retry_s], [60, 60])
  })
})
