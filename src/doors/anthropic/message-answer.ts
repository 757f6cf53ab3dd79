import type { components } from '../../../generated/anthropic.ts'
import type { WholeAnswer } from '../common/whole-answer.ts'
import { messageUsage, stopOf, type MessageHead } from './message-frames.ts'

/** A task that has completed as one message. */
export function messageAnswer({ task_id, model }: MessageHead, answer: WholeAnswer): components['schemas']['Message'] {
  const { text, reasoning, calls, completed } = answer
  return {
    ...{ id: `msg_${task_id}`, type: 'message', role: 'assistant', model },
    content: [
      ...(reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }]),
      ...(text === '' && calls.length + reasoning.length > 0 ? [] : [{ type: 'text', text }]),
      ...calls.map(({ id, name, arguments: json }) => ({ type: 'tool_use', id, name, input: inputOf(json) })),
    ],
    ...stopOf(completed),
    usage: messageUsage(completed),
  }
}

/** The arguments of a call. What was cut off by the limit of the answer is no JSON: then there is no input. */
function inputOf(json: string): object {
  try {
    const input: unknown = JSON.parse(json === '' ? '{}' : json)
    return typeof input === 'object' && input !== null ? input : {}
  } catch {
    return {}
  }
}
