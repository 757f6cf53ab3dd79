import type { components } from '../../../generated/api.ts'

/** The most likely tokens at one place of the text, as the wire shows them. */
export type TokenLogprob = components['schemas']['TokenLogprob']

/** A piece of the answer's text: whole code points, not empty. */
export interface TextPart {
  readonly kind: 'text'
  readonly text: string
  /** Of the tokens the text is made of, where the task asked for them. */
  readonly logprobs?: readonly TokenLogprob[]
}

/** A piece of what the model thinks, where the engine tells it apart: whole code points, not empty. */
export interface ReasoningPart {
  readonly kind: 'reasoning'
  readonly text: string
}

/** A piece of a tool call. The first one of a call has its id and name. */
export interface ToolCallPart {
  readonly kind: 'tool_call'
  /** Index of the call in the answer, from 0. */
  readonly index: number
  readonly id?: string
  readonly name?: string
  /** A piece of the JSON text of the arguments, maybe empty. */
  readonly text: string
}

/** One piece of what an engine generates. `text` is what its bytes are counted of. */
export type Part = TextPart | ReasoningPart | ToolCallPart

/**
 * What a part belongs to: the text, the reasoning, or one tool call. Where the channel changes a new passage begins, in the hash of the marks
 * as in a replay. The name of a tool is part of its channel, its id is not: engines draw another one in each run.
 */
export type Channel = string

/** The channel an answer begins in. */
export const textChannel: Channel = 'text'

/** @param current the channel of the part before, which goes on where a later piece of the same tool call leaves the name out */
export function channelOf(part: Part, current: Channel): Channel {
  if (part.kind !== 'tool_call') return part.kind
  const call = `tool_call ${part.index}`
  if (part.name === undefined && current.startsWith(`${call} `)) return current
  return `${call} ${part.name ?? ''}`
}

/** A part with other text; what belongs to its beginning only goes with `begins`. */
export function withText(part: Part, text: string): Part {
  if (part.kind === 'text') return { kind: 'text', text }
  if (part.kind === 'reasoning') return { kind: 'reasoning', text }
  return { kind: 'tool_call', index: part.index, text }
}

/** A part as the event log keeps it: text as it is, an object with short names for the others. */
export type EncodedPart =
  | string
  | { readonly t: string; readonly l: readonly TokenLogprob[] }
  | { readonly r: string }
  | { readonly c: number; readonly id?: string; readonly n?: string; readonly a: string }

/** A part as the event log keeps it. @see decodePart */
export function encodePart(part: Part): EncodedPart {
  if (part.kind === 'text') return part.logprobs === undefined ? part.text : { t: part.text, l: part.logprobs }
  if (part.kind === 'reasoning') return { r: part.text }
  const { index: c, id, name: n, text: a } = part
  return { c, ...(id === undefined ? {} : { id }), ...(n === undefined ? {} : { n }), a }
}

/** What `encodePart` made of a part. */
export function decodePart(part: EncodedPart): Part {
  if (typeof part === 'string') return { kind: 'text', text: part }
  if ('t' in part) return { kind: 'text', text: part.t, logprobs: part.l }
  if ('r' in part) return { kind: 'reasoning', text: part.r }
  const { c: index, id, n: name, a: text } = part
  return { kind: 'tool_call', index, ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), text }
}
