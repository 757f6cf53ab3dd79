import type { EventFormat } from '../../domain/stream/event-format.ts'
import type { Mark } from '../../domain/stream/mark.ts'
import type { Part } from '../../domain/stream/part.ts'
import { endId, formatMark, startedId } from './event-id.ts'

/** Data is built by hand: this runs once a token. */
function partFrame(part: Part, index: number, mark: Mark): string {
  const id = formatMark(mark)
  const json = JSON.stringify(part.text)
  if (part.kind === 'text') {
    const logprobs = part.logprobs === undefined ? '' : `,"logprobs":${JSON.stringify(part.logprobs)}`
    return `id: ${id}\nevent: token\ndata: {"t":${json},"i":${index}${logprobs}}\n\n`
  }
  if (part.kind === 'reasoning') return `id: ${id}\nevent: reasoning\ndata: {"t":${json},"i":${index}}\n\n`
  const begin = part.name === undefined ? '' : `"id":${JSON.stringify(part.id ?? '')},"name":${JSON.stringify(part.name)},`
  return `id: ${id}\nevent: tool_call\ndata: {"index":${part.index},${begin}"arguments":${json},"i":${index}}\n\n`
}

/** A task's events as Server-Sent Events (WHATWG HTML standard, section 9.2). JSON has no raw newlines, so data is one line. */
export const nativeFormat = {
  started: (event) => `id: ${startedId}\nevent: started\ndata: ${JSON.stringify(event)}\n\n`,
  part: partFrame,
  // Without an id: metrics are never resumed at.
  metrics: (event) => `event: metrics\ndata: ${JSON.stringify(event)}\n\n`,
  terminal: (event) =>
    'end' in event
      ? `id: ${endId}\nevent: end\ndata: ${JSON.stringify(event.end)}\n\n`
      : `id: ${endId}\nevent: error\ndata: ${JSON.stringify(event.error)}\n\n`,
} satisfies EventFormat
