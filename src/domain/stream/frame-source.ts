import type { DomainError } from '../errors.ts'

/** Frames for one connection: it pulls, and is told when there may be something to pull. */
export interface FrameSource {
  /** The terminal frame was taken. */
  readonly done: boolean
  /** Frames that may go out now, joined, about `max_chars` at most; empty while there are none. */
  take(max_chars: number): string
  /** `run` is called, synchronously, each time there may be something to take. */
  onReadable(run: () => void): void
  /** Has to be called when nobody reads any more. */
  close(): void
  /** What it says may wait for what others have to say: it tells of many things at once, to many. */
  readonly patient?: boolean
  /** What keeps an idle connection open, as a frame; a comment unless given. */
  readonly sign?: string | undefined
  /**
   * Where it is there, the head of the answer waits for the first frame, for a while: a source that ends before it has said anything is
   * refused with this, so that a failure is a status. Undefined where it has said something or has not failed.
   */
  refusal?(): DomainError | undefined
}

/** A whole answer that comes later. */
export interface ComingBody<B> {
  readonly value: Promise<B>
  /** Has to be called when nobody waits any more. */
  close(): void
}
