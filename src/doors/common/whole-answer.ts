import type { Part, TokenLogprob } from '../../domain/stream/part.ts'
import type { EndEvent, ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'

/** A tool call that is complete. */
export interface WholeCall {
  readonly id: string
  readonly name: string
  /** JSON text. */
  arguments: string
}

/** Keeps a task's parts together, for an answer that is given whole: it writes nothing. */
export class WholeAnswer {
  readonly own = true
  /** It says nothing before its end. */
  readonly begun = false
  text = ''
  reasoning = ''
  readonly calls: WholeCall[] = []
  readonly logprobs: TokenLogprob[] = []
  failure: ErrorEvent | undefined
  end: EndEvent | undefined

  started(): string {
    return ''
  }

  part(part: Part): string {
    if (part.kind === 'text') {
      this.text += part.text
      this.logprobs.push(...(part.logprobs ?? []))
    } else if (part.kind === 'reasoning') this.reasoning += part.text
    else {
      const call = (this.calls[part.index] ??= { id: part.id ?? '', name: part.name ?? '', arguments: '' })
      call.arguments += part.text
    }
    return ''
  }

  terminal(event: TerminalEvent): string {
    if ('end' in event) this.end = event.end
    else this.failure = event.error
    return ''
  }

  /** How the task completed. @throws Error where it has not */
  get completed(): EndEvent {
    if (this.end === undefined) throw new Error('the task has not completed')
    return this.end
  }
}
