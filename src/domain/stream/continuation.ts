import type { Feature, TaskRequest } from '../task.ts'
import type { Part } from './part.ts'

/**
 * Whether what an engine with these features gives for a request can be gone on with from given text. A conversation is gone on with by leaving
 * the assistant's words open. A format is held by a grammar, which would begin anew in the middle of the text.
 */
export function canContinue(
  { messages, response_format, determinism }: Pick<TaskRequest, 'messages' | 'response_format' | 'determinism'>,
  features: readonly Feature[],
): boolean {
  if (!features.includes('continues') || determinism === 'strict') return false
  if (response_format !== undefined && response_format.type !== 'text') return false
  return messages === undefined || features.includes('prefill')
}

/** What an answer that was cut off has so far, as far as the rest of it depends on that. */
export interface Beginning {
  /** Its text, without reasoning. */
  readonly text: string
  readonly parts: number
  readonly reasoning_parts: number
}

/** How the parts of an answer end, as far as it matters whether they can be gone on from: one that has begun a tool call stays `called`. */
export type PartsEnd = 'text' | 'reasoning' | 'called'

/** The same with one more part. */
export const endAfter = (end: PartsEnd, { kind }: Part): PartsEnd => (end === 'called' || kind === 'tool_call' ? 'called' : kind)

/** Whether anybody can go on from parts that end like this: no tool call has begun, and the reasoning is over. */
export const isContinuable = (end: PartsEnd): boolean => end === 'text'

/** What there is to go on from; undefined where nobody can. Without parts the answer begins anew. */
export function beginningOf(known: Iterable<Part>): Beginning | undefined {
  let text = ''
  let parts = 0
  let reasoning_parts = 0
  let end: PartsEnd = 'text'
  for (const part of known) {
    end = endAfter(end, part)
    if (part.kind === 'text') text += part.text
    else reasoning_parts++
    parts++
  }
  return isContinuable(end) ? { text, parts, reasoning_parts } : undefined
}
