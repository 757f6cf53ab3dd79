import type { components } from '../../../../generated/openai.ts'
import type { EndEvent, ErrorEvent, TerminalEvent } from '../../../domain/stream/task-events.ts'
import type { TaskRequest } from '../../../domain/task.ts'
import { failureMessage } from '../../common/failure-message.ts'
import { responseIdOf, type KeptResponse } from './kept.ts'
import { textGiven } from './request.ts'
import { choiceGiven, toolsGiven } from './tools.ts'
import type { OutputItem } from './writing.ts'

/** A response as clients see it. */
export type ResponseObject = components['schemas']['Response']

/** What a response is made of beside what the model says. */
export interface ResponseHead {
  readonly task_id: string
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  readonly request: TaskRequest
  readonly told: KeptResponse
}

type Ended = 'id' | 'status' | 'completed_at' | 'error' | 'incomplete_details' | 'output' | 'usage'

/** What of a response its request decides. */
export function givenOf({ accepted_at, request, told }: ResponseHead): Omit<ResponseObject, Ended> {
  const { messages = [], sampling } = request
  const instructions = told.instructed ? messages[0]?.content : null
  return {
    object: 'response',
    created_at: Math.floor(accepted_at / 1000),
    background: told.background,
    instructions: typeof instructions === 'string' ? instructions : null,
    max_output_tokens: told.max_output_tokens,
    metadata: told.metadata,
    model: request.model_ref ?? '',
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: told.previous_response_id,
    reasoning: { effort: told.effort, summary: told.summary },
    store: told.store,
    temperature: sampling?.temperature ?? 1,
    text: textGiven(request.response_format),
    tool_choice: choiceGiven(request.tool_choice, told.marks),
    tools: toolsGiven(request.tools ?? [], told.marks),
    top_p: sampling?.top_p ?? 1,
    truncation: 'disabled',
  }
}

const usageOf = ({ tokens_in, tokens_out, tokens_in_cached, tokens_reasoning }: EndEvent): NonNullable<ResponseObject['usage']> => ({
  input_tokens: tokens_in,
  input_tokens_details: { cached_tokens: tokens_in_cached ?? 0 },
  output_tokens: tokens_out,
  output_tokens_details: { reasoning_tokens: tokens_reasoning ?? 0 },
  total_tokens: tokens_in + tokens_out,
})

/** Why a response failed. Programs know few codes, and take the others for a reason to try again. */
const errorOf = (failure: ErrorEvent): ResponseObject['error'] => ({
  code: failure.retriable ? 'server_error' : failure.code.toLowerCase(),
  message: failureMessage(failure),
})

/** A response with its end; without one it is in this state. */
export function responseOf(
  head: ResponseHead,
  output: readonly OutputItem[],
  ended: TerminalEvent | undefined,
  state: 'queued' | 'in_progress' = 'in_progress',
): ResponseObject {
  const end = ended !== undefined && 'end' in ended ? ended.end : undefined
  const error = ended !== undefined && 'error' in ended ? ended.error : undefined
  const cut = end?.finish_reason === 'length'
  return {
    id: responseIdOf(head.task_id),
    ...givenOf(head),
    status:
      error === undefined
        ? end === undefined
          ? state
          : cut
            ? 'incomplete'
            : 'completed'
        : error.code === 'CANCELED'
          ? 'cancelled'
          : 'failed',
    completed_at: end === undefined ? null : Math.floor((head.accepted_at + end.first_token_ms + end.decode_ms) / 1000),
    error: error === undefined || error.code === 'CANCELED' ? null : errorOf(error),
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: [...output],
    usage: end === undefined ? null : usageOf(end),
  }
}
