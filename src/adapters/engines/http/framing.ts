import { StringDecoder } from 'node:string_decoder'
import { createParser } from 'eventsource-parser'
import { nonsense } from './faults.ts'

/** Cuts a body into its messages, wherever the chunks end. */
export interface Framing {
  /** @throws EngineFault where the bytes are of no such body */
  push(chunk: Buffer): void
}

/** Longest message, characters. */
const longest = 8 * 1024 * 1024

/**
 * Server-Sent Events: one message an event; comments are ignored. A line that is no field is no noise but a failure: llama.cpp's router ends
 * a stream that it lost with a line of plain text, well-formed and under 200.
 */
export function sse(onMessage: (data: string) => void): Framing {
  const decoder = new StringDecoder('utf8')
  const parser = createParser({
    maxBufferSize: longest,
    onEvent: ({ data }) => onMessage(data),
    onError: (error) => {
      if (error.type !== 'invalid-retry') throw nonsense(error)
    },
  })
  return { push: (chunk) => parser.feed(decoder.write(chunk)) }
}

/** One JSON text a line. */
export function ndjson(onMessage: (line: string) => void): Framing {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return {
    push: (chunk) => {
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > longest) throw nonsense(new Error('a line has no end'))
      for (const line of lines) if (line.trim() !== '') onMessage(line)
    },
  }
}
