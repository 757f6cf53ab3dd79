import { EngineError } from '../../../ports/engine.ts'
import { isObject, textOf, type JsonObject } from './json.ts'

/**
 * What went wrong with a call. `unreachable`: nobody answers; `broken`: the connection or the answer ended before its end mark; `busy`: the
 * server takes no more now; `failed`: it failed; `refused`: it will not do this, wherever it is asked; `nonsense`: it sent what is no answer.
 */
export type FaultKind = 'unreachable' | 'broken' | 'busy' | 'failed' | 'refused' | 'nonsense'

/** A failed call of an engine's server, in our own words: what the server wrote is only in `cause`, for the log. */
export class EngineFault extends EngineError {
  readonly kind: FaultKind
  /** Of the answer or of the error in it, where it has one. */
  readonly status: number | undefined
  /** When the server wants to be asked again, ms. */
  readonly retry_after_ms: number | undefined

  constructor(
    kind: FaultKind,
    message: string,
    more: { readonly cause?: unknown; readonly status?: number; readonly retry_after_ms?: number } = {},
  ) {
    super(message, { retriable: kind !== 'refused', busy: kind === 'busy', cause: more.cause })
    this.kind = kind
    this.status = more.status
    this.retry_after_ms = more.retry_after_ms
  }
}

/** The body ended, but not the answer: whatever closed the connection, it was no end. */
export const unfinished = (): EngineFault => new EngineFault('broken', 'the engine stopped in the middle of its answer')

/** What came is no answer. @param cause with what came, for the log */
export const nonsense = (cause: unknown): EngineFault =>
  new EngineFault('nonsense', 'the engine sent something that is no answer', { cause })

/** The server has not the model it is to serve, and loads none while it runs. @param served models that it has */
export const notServed = (name: string, served: number): EngineFault =>
  new EngineFault(
    'failed',
    `the engine does not serve ${name}, and loads no other model than ${served > 1 ? `the ${served} that it serves` : 'the one it was started with'}: start it with ${name}, or give a server that has it a pool of its own`,
  )

/** What a start has met, where that is how a server of another kind answers: such a one has not the call, or something else there. */
export const strangeFault = (fault: EngineFault): EngineFault =>
  fault.kind === 'nonsense' || fault.status === 404
    ? new EngineFault('failed', 'what answers is no engine of this kind, or not at this path: look at engine, and at url or command', {
        cause: fault,
      })
    : fault

/** Codes of a connection that never stood. */
const neverStood =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT|UND_ERR_CONNECT_TIMEOUT|ERR_TLS.*|.*CERT.*)$/

/** Codes of Node and OpenSSL for what keeps TLS from coming about, and what the user can do. */
const tlsTroubles: readonly (readonly [RegExp, string])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for another name than its url has'],
  [
    /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY|GET_ISSUER)/,
    'its certificate is not trusted; NODE_EXTRA_CA_CERTS names a file with more of them',
  ],
  [/^ERR_SSL_WRONG_VERSION_NUMBER$|^ERR_SSL_PACKET_LENGTH_TOO_LONG$/, 'there is no TLS there; an url without it begins with http:'],
]

/** The connection failed. */
export function connectionFault(cause: Error): EngineFault {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const [, why] = tlsTroubles.find(([known]) => known.test(code)) ?? []
  if (why !== undefined) return new EngineFault('unreachable', `the engine cannot be reached: ${why} (${code})`, { cause })
  return neverStood.test(code)
    ? new EngineFault('unreachable', `the engine cannot be reached (${code})`, { cause })
    : new EngineFault('broken', 'the connection to the engine broke', { cause })
}

/** Statuses that the same request gets from every server of this kind. */
const refusing: readonly number[] = [400, 404, 405, 413, 415, 422, 501]

const overContext = /exceed_context_size|context_length_exceeded|context length|context size|n_ctx|maximum context|input_tokens/

/** llama.cpp calls an input over its batch an error of its own, 500. */
const tooLong = 'too large to process'

/** A router of llama-servers says so of a model that somebody has unloaded: it can be loaded again. */
const notLoaded = 'model is not loaded'

/** Statuses of errors that have a word in place of a number. */
const statusOfWord: ReadonlyMap<string, number> = new Map([
  ['overloaded', 429],
  ['validation', 422],
  ['invalid_request_error', 400],
  ['exceed_context_size_error', 400],
  ['context_length_exceeded', 400],
  ['rate_limit_exceeded', 429],
  ['Service Unavailable', 503],
])

/** An error of the server: its status, or the one that the error object names. @param text what the server wrote, for the log and the kind */
export function statusFault(status: number, text: string, retry_after_ms?: number): EngineFault {
  const cause = new Error(`HTTP ${status}: ${text.slice(0, 1000)}`)
  const more = { cause, status, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) }
  if (status === 429 || status === 503) return new EngineFault('busy', `the engine takes no more requests now (HTTP ${status})`, more)
  if (status === 401 || status === 403)
    return new EngineFault(
      'failed',
      `the engine does not take the key it is given, if any: api_key_env names the variable that holds it (HTTP ${status})`,
      more,
    )
  if (text.includes(notLoaded))
    return new EngineFault('failed', 'the engine has unloaded the model; pools that it has no room for at once take turns in a group', more)
  if (text.includes(tooLong)) return new EngineFault('refused', 'an input is too long for the engine', more)
  if (!refusing.includes(status)) return new EngineFault('failed', `the engine failed (HTTP ${status})`, more)
  if (overContext.test(text)) return new EngineFault('refused', 'the prompt and the answer do not fit into the context of the engine', more)
  if (status === 404) return new EngineFault('refused', 'the engine does not know this model or has no such call (HTTP 404)', more)
  if (status === 501) return new EngineFault('refused', 'the engine cannot do this (HTTP 501)', more)
  return new EngineFault('refused', `the engine does not take ${fieldIn(text)} (HTTP ${status})`, more)
}

/** Where servers of OpenAI's form and those of FastAPI say which field they refuse. */
const refusedField = /"param":\s*"([a-z_]+)"|"loc":\s*\["body",\s*"([a-z_]+)"/

/** Fields that a client may know of, as servers call them. */
const fields: ReadonlySet<string> = new Set([
  ...['prompt', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'reasoning_effort', 'seed', 'stop'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'min_p', 'frequency_penalty', 'presence_penalty'],
  ...['repetition_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'stream_options', 'input', 'query', 'documents'],
])

/** What a server does not take, in words of ours. */
function fieldIn(text: string): string {
  const [, param, loc] = refusedField.exec(text) ?? []
  const field = param ?? loc ?? ''
  return fields.has(field) ? `${field} as it is given` : 'the request'
}

/** An error in an answer that began well: `{error: {message, type, code}}`, `{error: text, error_type}` or `{error: text}`. */
export function eventFault(event: JsonObject): EngineFault {
  const { error } = event
  const { code, type } = isObject(error) ? error : { code: undefined, type: event['error_type'] }
  const text = JSON.stringify(event)
  const number = Number(code)
  const named = number >= 400 && number <= 599 ? number : (statusOfWord.get(textOf(code) ?? '') ?? statusOfWord.get(textOf(type) ?? ''))
  // LM Studio has no code for a prompt that does not fit.
  return statusFault(named ?? (overContext.test(text) ? 400 : 500), text)
}
