import type { EventFormat } from '../../domain/stream/event-format.ts'
import type { Mark } from '../../domain/stream/mark.ts'
import type { Part } from '../../domain/stream/part.ts'
import { endId, formatMark, startedId } from './event-id.ts'

/** The event a part is, and its data without the index. */
function partOf(part: Part): readonly [event: string, data: string] {
  if (part.kind === 'text') return ['token', `"t":${JSON.stringify(part.text)}`]
  if (part.kind === 'reasoning') return ['reasoning', `"t":${JSON.stringify(part.text)}`]
  const begin = part.name === undefined ? '' : `"id":${JSON.stringify(part.id ?? '')},"name":${JSON.stringify(part.name)},`
  return ['tool_call', `"index":${part.index},${begin}"arguments":${JSON.stringify(part.text)}`]
}

function partFrame(part: Part, index: number, mark: Mark): string {
  const [event, data] = partOf(part)
  const logprobs = part.kind === 'text' && part.logprobs !== undefined ? `,"logprobs":${JSON.stringify(part.logprobs)}` : ''
  return `id: ${formatMark(mark)}\nevent: ${event}\ndata: {${data},"i":${index}${logprobs}}\n\n`
}

/** A task's events as Server-Sent Events (WHATWG HTML standard, section 9.2). JSON has no raw newlines, so data is one line. */
export const nativeFormat: EventFormat = {
  started: (event) => `id: ${startedId}\nevent: started\ndata: ${JSON.stringify(event)}\n\n`,
  part: partFrame,
  // Without an id: metrics are never resumed at.
  metrics: (event) => `event: metrics\ndata: ${JSON.stringify(event)}\n\n`,
  terminal: (event) =>
    'end' in event
      ? `id: ${endId}\nevent: end\ndata: ${JSON.stringify(event.end)}\n\n`
      : `id: ${endId}\nevent: error\ndata: ${JSON.stringify(event.error)}\n\n`,
}
