import { objectIn } from './client.ts'
import type { AnswerReader, Plan } from './dialect.ts'
import type { Sink } from './exchange.ts'
import { eventFault, unfinished } from './faults.ts'

/** Reads the body of an answer to its end mark. An error in it is one even under 200, even first, whatever comes after it. */
export function answerSink(framing: Plan['framing'], reader: AnswerReader): Sink {
  const frames = framing((data) => {
    if (reader.ended) return
    if (data === '[DONE]') return reader.done?.()
    const message = objectIn(data)
    if (message['error'] !== undefined && message['error'] !== null) throw eventFault(message)
    reader.take(message)
  })
  return {
    data: (chunk) => {
      frames.push(chunk)
      return reader.ended
    },
    end: () => {
      reader.closed?.()
      if (!reader.ended) throw unfinished()
    },
  }
}
