import type { components } from '../../../generated/api.ts'
import { formatMark, type TextMark } from './text-hash.ts'

type Schemas = components['schemas']
export type StartedEvent = Schemas['StartedEvent']
export type MetricsEvent = Schemas['MetricsEvent']
export type EndEvent = Schemas['EndEvent']
export type ErrorEvent = Schemas['ErrorEvent']

/** Id of the terminal frame; a reader that sends it back has everything. */
export const endId = 'end'

/** Id of the `started` frame. */
export const startedId = '0'

// SSE as in the WHATWG HTML standard, section 9.2; JSON has no raw newlines, so data is one line.
export const startedFrame = (event: StartedEvent): string => `id: ${startedId}\nevent: started\ndata: ${JSON.stringify(event)}\n\n`

/** `mark` covers the text up to and including this token, `index` counts tokens from 0. */
export const tokenFrame = (mark: TextMark, text: string, index: number): string =>
  `id: ${formatMark(mark)}\nevent: token\ndata: {"t":${JSON.stringify(text)},"i":${index}}\n\n`

/** Without an id: metrics are never resumed at. */
export const metricsFrame = (event: MetricsEvent): string => `event: metrics\ndata: ${JSON.stringify(event)}\n\n`

export const endFrame = (event: EndEvent): string => `id: ${endId}\nevent: end\ndata: ${JSON.stringify(event)}\n\n`

export const errorFrame = (event: ErrorEvent): string => `id: ${endId}\nevent: error\ndata: ${JSON.stringify(event)}\n\n`

/** Token frames as they were stored, back to back. */
export function splitFrames(frames: string): string[] {
  const parts = frames.split('\n\n')
  parts.pop()
  return parts.map((part) => `${part}\n\n`)
}

/** Id, text and index of a token frame built by `tokenFrame`. */
export function parseTokenFrame(frame: string): { readonly id: string; readonly text: string; readonly index: number } {
  const [idLine = '', , dataLine = ''] = frame.split('\n')
  const data = JSON.parse(dataLine.slice('data: '.length)) as Schemas['TokenEvent']
  return { id: idLine.slice('id: '.length), text: data.t, index: data.i }
}
