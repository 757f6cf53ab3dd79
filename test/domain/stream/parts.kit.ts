import fc from 'fast-check'
import type { Mark } from '../../../src/domain/stream/mark.ts'
import type { Part, ToolCallPart } from '../../../src/domain/stream/part.ts'
import type { Frame } from '../../../cli/contract/frame.ts'
import { tokenText } from './task-log.kit.ts'

const step = fc.record({
  kind: fc.constantFrom('text', 'text', 'reasoning', 'call', 'more', 'more', 'more'),
  text: tokenText,
  empty: fc.boolean(),
  name: fc.constantFrom('get', 'put', 'größe', ''),
  pick: fc.nat(99),
  logprobs: fc.boolean(),
})

/**
 * What an engine may send: text, reasoning and tool calls in any order. The first piece of a call has its id and name, the later ones only its
 * index; each may have no text. Pieces of several calls may come in turn.
 */
export const mixedParts = (maxLength: number): fc.Arbitrary<Part[]> =>
  fc.array(step, { maxLength, size: 'max' }).map((steps) => {
    let calls = 0
    return steps.map(({ kind, text, empty, name, pick, logprobs }): Part => {
      const piece = empty ? '' : text
      if (kind === 'reasoning') return { kind, text }
      if (kind === 'call') return { kind: 'tool_call', index: calls, id: `call_${calls++}`, name, text: piece }
      // Mostly of the newest call, sometimes of an earlier one.
      if (kind === 'more' && calls > 0) return { kind: 'tool_call', index: pick % 4 === 0 ? pick % calls : calls - 1, text: piece }
      return logprobs
        ? { kind: 'text', text, logprobs: [{ token: text, logprob: -0.5, top_logprobs: [{ token: 'x', logprob: -1, bytes: [120] }] }] }
        : { kind: 'text', text }
    })
  })

/** Parts of one kind, or of one call, without another in between. */
export interface Passage {
  readonly kind: Part['kind']
  readonly call: number | undefined
  /** Of the tool, where the passage begins with one. */
  readonly name: string | undefined
  readonly parts: Part[]
}

/** A list of parts passage by passage. */
export function passagesOf(parts: readonly Part[]): Passage[] {
  const passages: Passage[] = []
  for (const part of parts) {
    const { call, name } = part.kind === 'tool_call' ? { call: part.index, name: part.name } : { call: undefined, name: undefined }
    const last = passages.at(-1)
    if (last?.kind === part.kind && last.call === call && (name === undefined || name === (last.name ?? ''))) last.parts.push(part)
    else passages.push({ kind: part.kind, call, name, parts: [part] })
  }
  return passages
}

export const textOfParts = (parts: readonly Part[]): string => parts.map(({ text }) => text).join('')

/** FNV-1a as its authors write it, in whole numbers that cannot overflow. */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5n
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n
  return Number(hash)
}

/** The mark of parts, from all of them at once: what begins a passage is hashed after a NUL, but for the text an answer begins with. */
export function markOfParts(parts: readonly Part[]): Mark {
  const text = passagesOf(parts).map(({ kind, call, name, parts }, index) => {
    const channel = kind === 'tool_call' ? `tool_call ${call} ${name ?? ''}` : kind
    return `${index === 0 && kind === 'text' ? '' : `\0${channel}`}${textOfParts(parts)}`
  })
  return { bytes: Buffer.byteLength(textOfParts(parts)), hash: fnv1a(Buffer.from(text.join(''), 'utf8')) }
}

/** A text cut into pieces of some code points each; a size of 0 gives an empty piece. */
function piecesOf(text: string, sizes: readonly number[]): string[] {
  const points = Array.from(text)
  const pieces: string[] = []
  for (let at = 0, turn = 0; at < points.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(points.slice(at, at + size).join(''))
    at += size
  }
  return pieces
}

/** Sizes of pieces, in code points. */
export const sizes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }).map((some) => [...some, 1])

/** What another run of the engine gives: the same passages in other pieces, under other ids of the calls. Only calls have empty pieces. */
export function recut(parts: readonly Part[], sizes: readonly number[]): Part[] {
  return passagesOf(parts).flatMap(({ parts }) => {
    const [first] = parts
    if (first === undefined) return []
    const all = piecesOf(textOfParts(parts), sizes)
    if (first.kind !== 'tool_call') return all.filter((text) => text !== '').map((text): Part => ({ kind: first.kind, text }))
    const pieces = all.length === 0 ? [''] : all
    return pieces.map((text, index): ToolCallPart => {
      const later = { kind: 'tool_call', index: first.index, text } as const
      return index > 0 || first.name === undefined ? later : { ...later, id: `other_${first.index}`, name: first.name }
    })
  })
}

/** A part that is cut off at its beginning. */
export const restOf = (part: Part, text: string): Part =>
  part.kind === 'tool_call' ? { kind: part.kind, index: part.index, text } : { kind: part.kind, text }

/** The parts of a native stream; their log probabilities are left out. */
export function partsOf(frames: readonly Frame[]): Part[] {
  return frames.flatMap(({ event, data }): Part[] => {
    const {
      t,
      index,
      id,
      name,
      arguments: piece,
    } = data as Partial<Record<'t' | 'id' | 'name' | 'arguments', string>> & { readonly index?: number }
    if (event === 'token') return [{ kind: 'text', text: t ?? '' }]
    if (event === 'reasoning') return [{ kind: 'reasoning', text: t ?? '' }]
    if (event !== 'tool_call') return []
    const call = { kind: 'tool_call', index: index ?? -1, text: piece ?? '' } as const
    return [id === undefined || name === undefined ? call : { ...call, id, name }]
  })
}

/** What calls begin among parts, such as `1 get`. */
export const callsOf = (parts: readonly Part[]): string[] =>
  parts.flatMap((part) => (part.kind === 'tool_call' && part.name !== undefined ? [`${part.index} ${part.name}`] : []))
