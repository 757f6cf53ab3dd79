const json = 'application/json'
const stream = 'text/event-stream'

/** Whether a client asks for the events at once: it names their media type, and JSON not before it (RFC 9110, section 12.5.1). */
export function wantsStream(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase())
  const at = types.indexOf(stream)
  const before = types.indexOf(json)
  return at >= 0 && (before < 0 || at < before)
}
