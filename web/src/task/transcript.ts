import type { TaskEvent } from '../../../sdk/src/index.ts'

/** Most that is kept, so that a long answer costs no more than a short one; the beginning goes, characters. */
const most = 200_000

/** What a task has said so far: thoughts, text and calls in the order they came. */
export class Transcript {
  private said = ''
  private last: TaskEvent['event'] | undefined

  /** Takes an event; whether it said anything. */
  take(event: TaskEvent): boolean {
    switch (event.event) {
      case 'token':
      case 'reasoning':
        this.add(event.event, event.event === 'reasoning' ? 'Thinks: ' : '', event.data.t)
        return true
      case 'tool_call':
        this.add(
          event.event,
          '',
          event.data.name === undefined ? event.data.arguments : `\nCalls ${event.data.name}: ${event.data.arguments}`,
        )
        return true
      default:
        return false
    }
  }

  text(): string {
    return this.said
  }

  private add(kind: TaskEvent['event'], title: string, text: string): void {
    const begins = this.last !== kind
    this.said += `${begins && this.said !== '' ? '\n\n' : ''}${begins ? title : ''}${text}`
    this.last = kind
    if (this.said.length > most * 1.5) this.said = `…${this.said.slice(-most)}`
  }
}
