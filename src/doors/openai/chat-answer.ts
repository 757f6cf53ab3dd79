import type { WholeAnswer } from '../common/whole-answer.ts'
import { createdAt, usageOf, type AnswerHead, type ChatCompletion } from './chat-frames.ts'

/** A task that has completed as one chat completion. */
export function chatCompletion(head: AnswerHead, answer: WholeAnswer): ChatCompletion {
  const { text, reasoning, calls, logprobs, completed } = answer
  const tool_calls = calls.map(({ id, name, arguments: json }) => ({ id, type: 'function', function: { name, arguments: json } }))
  return {
    id: `chatcmpl-${head.task_id}`,
    object: 'chat.completion',
    created: createdAt(head),
    model: head.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && tool_calls.length > 0 ? null : text,
          refusal: null,
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
          ...(tool_calls.length === 0 ? {} : { tool_calls }),
        },
        logprobs: logprobs.length === 0 ? null : { content: logprobs },
        finish_reason: completed.finish_reason,
      },
    ],
    usage: usageOf(completed),
  }
}
