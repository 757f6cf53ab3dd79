/** One range of an `Accept` header: a media type or a wildcard, and how much it is wanted, 0 to 1. */
interface MediaRange {
  readonly type: string
  readonly quality: number
}

function rangeOf(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return { type, quality: quality === undefined ? 1 : Number(quality) }
}

/**
 * Whether a client asks for the events at once: it names their media type, and wants JSON less, or as much and names it later
 * (RFC 9110, section 12.5.1). Somebody who takes anything gets JSON.
 */
export function wantsStream(accept = ''): boolean {
  const ranges = accept.split(',').map(rangeOf)
  const stream = ranges.find(({ type }) => type === 'text/event-stream')
  if (stream === undefined || !(stream.quality > 0)) return false
  const json = ['application/json', 'application/*', '*/*'].flatMap((name) => ranges.find(({ type }) => type === name) ?? [])[0]
  if (json === undefined || !(json.quality >= stream.quality)) return true
  return json.quality === stream.quality && (json.type !== 'application/json' || ranges.indexOf(stream) < ranges.indexOf(json))
}
