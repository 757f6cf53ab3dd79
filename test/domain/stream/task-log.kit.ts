import fc from 'fast-check'
import { nativeFormat } from '../../../src/doors/native/frames.ts'
import type { MetricsEvent, StartedEvent, TerminalEvent } from '../../../src/domain/stream/task-events.ts'
import type { TextPart } from '../../../src/domain/stream/part.ts'
import type { TaskLog } from '../../../src/domain/stream/task-log.ts'
import type { FrameSource } from '../../../src/domain/stream/frame-source.ts'
import { emptyMark, extendMark, type Mark } from '../../../src/domain/stream/mark.ts'
import { parseFrame, type Frame } from '../../../cli/contract/frame.ts'

export const started: StartedEvent = {
  queue_position: 2,
  predicted_start_ms: 30,
  pool_id: 'pool',
  engine: 'mock',
  accepted_at: '2026-01-01T00:00:00.000Z',
}

export const ended: TerminalEvent = {
  end: {
    tokens_in: 1,
    tokens_out: 2,
    queue_ms: 3,
    first_token_ms: 4,
    decode_ms: 5,
    finish_reason: 'stop',
    artifact_id: `sha256:${'0'.repeat(64)}`,
    replica_id: 'r0',
  },
}

export const failed = { error: { code: 'DECODE_TIMEOUT', message: 'too long', retriable: true } } satisfies TerminalEvent

export const canceled = { error: { code: 'CANCELED', message: 'canceled', retriable: false } } satisfies TerminalEvent

/** Metrics that can be told from others by its number. */
export const metrics = (queue_depth: number): MetricsEvent => ({
  phase: 'decoding',
  queue_depth,
  queue_position: 0,
  predicted_start_ms: 0,
  prediction_basis: 'history',
  on_time_probability: 1,
  kv_warmth: false,
  pool_id: 'pool',
})

/** What an engine may send as a token: whole code points, also those that look like SSE. */
export const tokenText = fc.oneof(
  fc.constantFrom(' the', 'é', '橋', ' 🦢🦢', '\n\n', '\r', '"', 'data: x\n\nid: end\nevent: end\n\n', '\u2028'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
)

export const markOf = (text: string): Mark => extendMark(emptyMark, text)

export const framesOf = (wire: string): Frame[] => {
  const blocks = wire.split('\n\n')
  if (blocks.pop() !== '') throw new Error('the last frame is not complete')
  return blocks.map(parseFrame)
}

/** Everything a reader can take now, `max_chars` at a time. */
export function drain(reader: FrameSource, max_chars = 1 << 20): Frame[] {
  let wire = ''
  for (let more = reader.take(max_chars); more !== ''; more = reader.take(max_chars)) wire += more
  return framesOf(wire)
}

export const textOf = (frames: readonly Frame[]): string =>
  frames.flatMap(({ event, data }) => (event === 'token' ? [String(data?.['t'])] : [])).join('')

/** Kinds of frames in order, such as `started token token metrics end`. */
export const kindsOf = (frames: readonly Frame[]): string => frames.map(({ event }) => event).join(' ')

export const codeOf = (frame: Frame | undefined): unknown => frame?.data?.['code']

/** A part of text. */
export const part = (text: string): TextPart => ({ kind: 'text', text })

/** A log's reader at the native door. */
export const readerOf = (log: TaskLog, from: Parameters<TaskLog['read']>[0]): FrameSource => log.read(from, nativeFormat)

/** A task's terminal event on the wire. */
export const terminalFrame = (event: TerminalEvent): string => nativeFormat.terminal(event)
