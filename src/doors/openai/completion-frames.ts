import type { components } from '../../../generated/openai.ts'
import type { Part, TextPart } from '../../domain/stream/part.ts'
import type { ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'
import type { WholeAnswer } from '../common/whole-answer.ts'
import { charactersOf, completionLogprobs } from './completion-logprobs.ts'
import { beginningOf, createdAt, errorFrame, usageFrame, usageOf, type AnswerHead } from './chat-frames.ts'

/** Writes a task as pieces of a text completion. */
export class CompletionFrames {
  readonly own = true
  failure: ErrorEvent | undefined
  begun = false
  private readonly beginning: string
  private readonly include_usage: boolean
  /** Characters of the answer's text whose tokens have been told. */
  private told = 0

  constructor(head: AnswerHead, include_usage: boolean) {
    this.beginning = beginningOf(`cmpl-${head.task_id}`, 'text_completion', head)
    this.include_usage = include_usage
  }

  started(): string {
    return ''
  }

  /** Data is built by hand: this runs once a token. */
  part(part: Part): string {
    this.begun = true
    return part.kind === 'text' ? this.piece(JSON.stringify(part.text), 'null', this.likely(part)) : ''
  }

  terminal(event: TerminalEvent): string {
    if ('error' in event) {
      this.failure = event.error
      return errorFrame(event.error)
    }
    const usage = this.include_usage ? usageFrame(this.beginning, event.end) : ''
    return `${this.piece('""', JSON.stringify(event.end.finish_reason))}${usage}data: [DONE]\n\n`
  }

  private likely({ logprobs }: TextPart): string {
    if (logprobs === undefined) return 'null'
    const told = completionLogprobs(logprobs, this.told)
    for (const { token } of logprobs) this.told += charactersOf(token)
    return JSON.stringify(told)
  }

  private piece(text: string, finish_reason: string, logprobs = 'null'): string {
    return `${this.beginning}{"index":0,"text":${text},"logprobs":${logprobs},"finish_reason":${finish_reason}}]}\n\n`
  }
}

/** A task that has completed as one text completion. */
export function completionAnswer(head: AnswerHead, answer: WholeAnswer): components['schemas']['Completion'] {
  const { text, completed, logprobs } = answer
  const likely = logprobs.length === 0 ? null : completionLogprobs(logprobs, 0)
  return {
    ...{ id: `cmpl-${head.task_id}`, object: 'text_completion', created: createdAt(head), model: head.model },
    choices: [{ index: 0, text, logprobs: likely, finish_reason: completed.finish_reason }],
    usage: usageOf(completed),
  }
}
