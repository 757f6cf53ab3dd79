import type { FrameSource } from '../../domain/stream/frame-source.ts'
import type { View } from './view.ts'

/** What a connection without an event sends. */
const comment = ':\n\n'

/** What a viewer tells its feed. */
export interface ViewerEars {
  /** It has taken a frame. */
  readonly sent: (event: 'snapshot' | 'changes' | 'comment') => void
  readonly closed: () => void
  /** The number of the newest tick. */
  readonly tick: () => number
}

/** Somebody who watches: a tick that it has, and the frame that is on its way to it. Nothing else is kept for it. */
export class Viewer implements FrameSource {
  readonly view: View
  readonly key_name: string
  done = false
  /** What the viewers of a tick are told is written a few at a time, and after the tick. */
  readonly patient = true
  /** Of the feed, when something was taken last. */
  heard: number
  private readonly ears: ViewerEars
  /** Undefined where it has to begin anew. */
  private since: number | undefined
  private rest = ''
  private hush = false
  private wake: () => void = () => undefined

  constructor(view: View, key_name: string, since: number | undefined, beat: number, ears: ViewerEars) {
    ;[this.view, this.key_name, this.since, this.heard, this.ears] = [view, key_name, since, beat, ears]
  }

  take(max_chars: number): string {
    if (this.rest === '') this.rest = this.done ? '' : this.next()
    // Half a character would be none.
    const cut = /[\uD800-\uDBFF]/.test(this.rest.charAt(max_chars - 1)) ? max_chars - 1 : max_chars
    const taken = this.rest.slice(0, cut)
    this.rest = this.rest.slice(cut)
    return taken
  }

  onReadable(run: () => void): void {
    this.wake = run
  }

  close(): void {
    this.ears.closed()
  }

  /** There may be something to see. */
  look(): void {
    this.wake()
  }

  /** It has had nothing for a while. */
  comment(): void {
    this.hush = true
    this.wake()
  }

  /** It gets nothing any more. */
  end(): void {
    this.done = true
    this.wake()
  }

  private next(): string {
    const tick = this.ears.tick()
    if (this.since !== undefined && this.since < tick) {
      const changes = this.view.after(this.since)
      this.since = changes === undefined ? undefined : tick
      if (changes !== undefined && changes !== '') return this.sent('changes', changes)
    }
    if (this.since === undefined) {
      this.since = tick
      return this.sent('snapshot', this.view.snapshot(this.key_name))
    }
    return this.hush ? this.sent('comment', comment) : ''
  }

  private sent(event: 'snapshot' | 'changes' | 'comment', frame: string): string {
    this.hush = false
    this.ears.sent(event)
    return frame
  }
}
