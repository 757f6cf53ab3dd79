import type { TaskEvent } from '../../sdk/src/index.ts'
import { spanText, styled } from './output.ts'

type Data<Event extends TaskEvent['event']> = Extract<TaskEvent, { event: Event }>['data']

const clear = '\r\x1b[K'

/** Tells a task's stream to a person: text on standard output, what it waits for on one line of standard error, where that is a terminal. */
export class Teller {
  private readonly live = process.stderr.isTTY
  private waiting = false
  private thinking = false
  private last = ''

  /** Tells all of it. @returns the text @throws what the stream throws */
  async tell(events: AsyncIterable<TaskEvent>): Promise<string> {
    let text = ''
    try {
      for await (const event of events) {
        if (event.event === 'token') text += event.data.t
        this.take(event)
      }
    } finally {
      this.wait('')
      if (this.last !== '' && this.last !== '\n') process.stdout.write('\n')
    }
    return text
  }

  private take(event: TaskEvent): void {
    if (event.event === 'started') this.wait(placeText(event.data.queue_position, event.data.predicted_start_ms))
    else if (event.event === 'metrics') this.onMetrics(event.data)
    else if (event.event === 'reasoning') this.think(event.data.t)
    else if (event.event === 'token') this.write(event.data.t)
    else if (event.event === 'end') this.onEnd(event.data)
  }

  private onMetrics(metrics: Data<'metrics'>): void {
    if (this.last === '' && !this.thinking) this.wait(whyText(metrics))
  }

  private think(text: string): void {
    if (!this.live) return
    this.wait('')
    this.thinking = true
    process.stderr.write(styled('dim', text, process.stderr))
  }

  private write(text: string): void {
    this.wait('')
    if (this.thinking) process.stderr.write('\n\n')
    this.thinking = false
    process.stdout.write(text)
    this.last = text.at(-1) ?? this.last
  }

  private onEnd({ tokens_out, first_token_ms, decode_ms, finish_reason }: Data<'end'>): void {
    this.wait('')
    if (!this.live) return
    const rate = decode_ms > 0 ? `, ${Math.round((tokens_out / decode_ms) * 1000)} tokens/s` : ''
    const why = finish_reason === 'stop' ? '' : `, ended by ${finish_reason}`
    const broken = this.last !== '' && this.last !== '\n' ? '\n' : ''
    this.last = ''
    process.stderr.write(
      `${broken}${styled('dim', `${tokens_out} tokens, the first after ${spanText(first_token_ms)}${rate}${why}`, process.stderr)}\n`,
    )
  }

  /** Shows what is waited for; nothing with an empty text. */
  private wait(text: string): void {
    if (!this.live || (text === '' && !this.waiting)) return
    this.waiting = text !== ''
    process.stderr.write(clear + styled('dim', text, process.stderr))
  }
}

/** `all slots are busy; 3 ahead, starts in about 2.1 s` */
export function whyText({ phase, waits, queue_position, predicted_start_ms }: Data<'metrics'>): string {
  if (waits !== undefined && phase === 'prefilling') return waits.text
  const place = placeText(queue_position, predicted_start_ms)
  if (waits !== undefined) return `${waits.text}; ${place}`
  return phase === 'queued' || phase === 'loading' ? place : 'the prompt is being read'
}

/** `3 ahead, starts in about 2.1 s` */
export function placeText(queue_position: number, predicted_start_ms: number): string {
  const place = queue_position === 0 ? 'next' : `${queue_position} ahead`
  return predicted_start_ms === 0 && queue_position === 0 ? 'starts now' : `${place}, starts in about ${spanText(predicted_start_ms)}`
}
