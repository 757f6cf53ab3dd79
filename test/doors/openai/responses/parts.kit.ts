import fc from 'fast-check'
import type { ResponseHead } from '../../../../src/doors/openai/responses/response.ts'
import { ResponseFrames } from '../../../../src/doors/openai/responses/frames.ts'
import type { Part } from '../../../../src/domain/stream/part.ts'
import type { TerminalEvent } from '../../../../src/domain/stream/task-events.ts'

/** A text in pieces of whole code points of these lengths; 0 counts as 1. */
export function cutInto(text: string, lengths: Iterable<number>): string[] {
  const pieces: string[] = []
  let rest = Array.from(text)
  for (const length of lengths) {
    if (rest.length === 0) break
    pieces.push(rest.slice(0, Math.max(1, length)).join(''))
    rest = rest.slice(Math.max(1, length))
  }
  return pieces
}

/** What a model says in one go. */
export type Passage =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly text: string }

/** An answer as its event log has it, but for how it is cut into parts. */
export interface Said {
  readonly passages: readonly Passage[]
  readonly background: boolean
  readonly summary: boolean
  readonly terminal: TerminalEvent
}

const words = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\n', 'é', '🦢'), minLength: 1, maxLength: 12 })

const passage: fc.Arbitrary<Passage> = fc.oneof(
  fc.record({ kind: fc.constantFrom('text' as const, 'reasoning' as const), text: words }),
  fc.record({
    kind: fc.constant('call' as const),
    name: fc.constantFrom('plain', 'ns__inner'),
    text: fc.constantFrom('', '{}', '{"a":"🦢"}'),
  }),
  fc.record({ kind: fc.constant('call' as const), name: fc.constant('patch'), text: words.map((text) => JSON.stringify({ input: text })) }),
)

/** How an answer ends, but for the reason. */
export const ended = {
  tokens_in: 5,
  tokens_out: 7,
  queue_ms: 0,
  first_token_ms: 1,
  decode_ms: 2,
  artifact_id: 'sha256:0',
  replica_id: 'r0',
}
const terminal: fc.Arbitrary<TerminalEvent> = fc.oneof(
  fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const).map((finish_reason) => ({ end: { ...ended, finish_reason } })),
  fc
    .constantFrom('WORKER_RESET' as const, 'CANCELED' as const)
    .map((code) => ({ error: { code, message: 'It ended.', retriable: code !== 'CANCELED' } })),
)

/** Any answer. */
export const said: fc.Arbitrary<Said> = fc.record({
  passages: fc.array(passage, { maxLength: 6 }),
  background: fc.boolean(),
  summary: fc.boolean(),
  terminal,
})

/** The parts of an answer, cut into pieces. */
export function partsOf({ passages }: Said, lengths: Iterable<number>): Part[] {
  let calls = 0
  const all = lengths[Symbol.iterator]()
  const next: Iterable<number> = { [Symbol.iterator]: () => ({ next: () => all.next() }) }
  return passages.flatMap((one): Part[] => {
    const pieces = cutInto(one.text, next)
    if (one.kind !== 'call') return pieces.map((text) => ({ kind: one.kind, text }))
    const index = calls++
    const [first = '', ...others] = pieces
    return [
      { kind: 'tool_call', index, id: `drawn-${index}`, name: one.name, text: first },
      ...others.map((text): Part => ({ kind: 'tool_call', index, text })),
    ]
  })
}

/** The response that is answered. */
export const headOf = ({ background, summary }: Pick<Said, 'background' | 'summary'>): ResponseHead => ({
  task_id: 'task-1',
  accepted_at: 1_767_225_600_000,
  request: {
    workload: 'completion',
    model_ref: 'mock:v1',
    determinism: 'best_effort',
    kv_hint: 'reuse',
    output_mode: 'text',
    messages: [{ role: 'user', content: 'Hello' }],
  },
  told: {
    kind: 'response',
    instructed: false,
    marks: [
      { known_as: 'patch', name: 'patch', custom: true },
      { known_as: 'ns__inner', name: 'inner', namespace: 'ns' },
    ],
    background,
    store: true,
    max_output_tokens: null,
    metadata: {},
    previous_response_id: null,
    effort: null,
    summary: summary ? 'auto' : null,
  },
})

/** An event as it stands on the wire. */
export interface WireEvent {
  readonly raw: string
  readonly type: string
  readonly number: number
  readonly data: Readonly<Record<string, unknown>>
}

/** What a reader gets. */
export function eventsOf(raw: string): WireEvent[] {
  return raw.split(/(?<=\n\n)/).map((block) => {
    const [, type = '', json = ''] = /^event: (.+)\ndata: (.+)\n\n$/.exec(block) ?? []
    const data = JSON.parse(json) as Record<string, unknown>
    if (data['type'] !== type) throw new Error(`event ${type} has type ${String(data['type'])}`)
    return { raw: block, type, number: Number(data['sequence_number']), data }
  })
}

/** Writes an answer for a reader that has everything up to a number. */
export function write(given: Said, parts: readonly Part[], after: number): string {
  const frames = new ResponseFrames(headOf(given), { after })
  return [frames.started(), ...parts.map((part) => frames.part(part)), frames.terminal(given.terminal)].join('')
}
