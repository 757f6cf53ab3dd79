import { createParser } from 'eventsource-parser'

/** One SSE frame; a comment has only `comment`. */
export interface Frame {
  readonly id?: string
  readonly event?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly comment?: string
}

/**
 * Reads one frame, as it stands before its empty line.
 * @throws at what an EventSource would pass over: other ends of lines, unknown fields, a block without data, two frames in one
 */
export function parseFrame(block: string): Frame {
  const frames: Frame[] = []
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const parsed = JSON.parse(data) as Record<string, unknown>
      frames.push({ ...(id === undefined ? {} : { id }), ...(event === undefined ? {} : { event }), data: parsed })
    },
    onComment: (comment) => frames.push({ comment: comment.replace(/^ /, '') }),
    onError: (error) => {
      throw error
    },
  })
  parser.feed(`${block}\n\n`)
  const [frame, ...others] = frames
  if (frame === undefined || others.length > 0 || /^\uFEFF|\r/.test(block)) throw new Error(`not one SSE frame: ${JSON.stringify(block)}`)
  return frame
}
