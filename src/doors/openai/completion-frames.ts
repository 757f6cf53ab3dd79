import type { components } from '../../../generated/openai.ts'
import type { Part } from '../../domain/stream/part.ts'
import type { ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'
import type { WholeAnswer } from '../common/whole-answer.ts'
import { beginningOf, createdAt, errorFrame, usageFrame, usageOf, type AnswerHead } from './chat-frames.ts'

/** Writes a task as pieces of a text completion. */
export class CompletionFrames {
  failure: ErrorEvent | undefined
  begun = false
  private readonly beginning: string
  private readonly include_usage: boolean

  constructor(head: AnswerHead, include_usage: boolean) {
    this.beginning = beginningOf(`cmpl-${head.task_id}`, 'text_completion', head)
    this.include_usage = include_usage
  }

  started(): string {
    return ''
  }

  metrics(): string {
    return ''
  }

  /** Data is built by hand: this runs once a token. */
  part(part: Part): string {
    this.begun = true
    return part.kind === 'text' ? this.piece(JSON.stringify(part.text), 'null') : ''
  }

  terminal(event: TerminalEvent): string {
    if ('error' in event) {
      this.failure = event.error
      return errorFrame(event.error)
    }
    const usage = this.include_usage ? usageFrame(this.beginning, event.end) : ''
    return `${this.piece('""', JSON.stringify(event.end.finish_reason))}${usage}data: [DONE]\n\n`
  }

  private piece(text: string, finish_reason: string): string {
    return `${this.beginning}{"index":0,"text":${text},"logprobs":null,"finish_reason":${finish_reason}}]}\n\n`
  }
}

/** A task that has completed as one text completion. */
export function completionAnswer(head: AnswerHead, answer: WholeAnswer): components['schemas']['Completion'] {
  const { text, completed } = answer
  return {
    ...{ id: `cmpl-${head.task_id}`, object: 'text_completion', created: createdAt(head), model: head.model },
    choices: [{ index: 0, text, logprobs: null, finish_reason: completed.finish_reason }],
    usage: usageOf(completed),
  }
}
