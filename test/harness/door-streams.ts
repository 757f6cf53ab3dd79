/** An event of a door's stream. */
export interface DoorEvent {
  /** `message` where the stream names none. */
  readonly event: string
  /** `[DONE]` as it is, else JSON. */
  readonly data: unknown
}

type Fields = Readonly<Record<string, unknown>>

/** The events of a stream of a door, comments left out. @throws Error where it is cut off or not SSE */
export function doorEvents(text: string): DoorEvent[] {
  if (!text.endsWith('\n\n')) throw new Error(`the stream is cut off: ${JSON.stringify(text.slice(-200))}`)
  return text
    .slice(0, -2)
    .split('\n\n')
    .flatMap((block): DoorEvent[] => {
      if (/^: [^\n]*$/.test(block)) return []
      const found = /^(?:event: ([a-z_.]+)\n)?data: ([^\n]*)$/.exec(block)
      if (found === null) throw new Error(`not an event of a door: ${JSON.stringify(block)}`)
      const [, event = 'message', data = ''] = found
      return [{ event, data: data === '[DONE]' ? data : (JSON.parse(data) as unknown) }]
    })
}

/** Whether a stream ends as an answer that is complete. */
export const isComplete = (text: string): boolean =>
  /(^|\n\n)(data: \[DONE\]|event: (message_stop|response\.(completed|incomplete))\ndata: [^\n]*)\n\n$/.test(text)

/** What a whole stream of a door has against its contract: each event, and their order. */
export function doorStreamProblems<S>(
  text: string,
  schemas: Readonly<Record<string, S>>,
  mismatch: (schema: S, value: unknown) => string | undefined,
): string[] {
  let events: DoorEvent[]
  try {
    events = doorEvents(text)
  } catch (error) {
    return [String(error)]
  }
  const problems = events.flatMap(({ event, data }) => {
    if (data === '[DONE]') return []
    const schema = schemas[event]
    if (schema === undefined) return [`event ${event} is not declared`]
    const problem = mismatch(schema, data)
    return problem === undefined ? [] : [`${event}: ${problem}: ${JSON.stringify(data)}`]
  })
  const order = 'message_start' in schemas ? messageOrder : 'response.created' in schemas ? responseOrder : chunkOrder
  return [...problems, ...order(events)]
}

/** message_start, blocks one after the other, message_delta, message_stop; or an error that ends it anywhere. */
function messageOrder(events: readonly DoorEvent[]): string[] {
  const named = events.filter(({ event }) => event !== 'ping')
  const problems = named.flatMap(({ event, data }) => ((data as Fields)['type'] === event ? [] : [`${event} has another type`]))
  const indices = named.flatMap(({ data }) => (data as Fields)['index'] ?? [])
  const starts = named.flatMap(({ event, data }) => (event === 'content_block_start' ? [(data as Fields)['index']] : []))
  if (indices.some((index, i) => i > 0 && Number(index) < Number(indices[i - 1]))) problems.push('blocks are mixed')
  if (starts.some((index, i) => index !== i)) problems.push('blocks do not count up')
  const order = named.map(({ event }) => event).join(' ')
  const block = 'content_block_start (content_block_delta )*content_block_stop '
  const unfinished = 'content_block_start (content_block_delta )*(content_block_stop )?'
  const whole = new RegExp(`^message_start (${block})*message_delta message_stop$`)
  const failed = new RegExp(`^(message_start (${block})*(${unfinished})?)?error$`)
  if (!whole.test(order) && !failed.test(order)) problems.push(`the events come in the order ${order}`)
  return problems
}

/** response.created first, numbers that do not fall, each event named by its type, and one that ends it. */
function responseOrder(events: readonly DoorEvent[]): string[] {
  const problems = events.flatMap(({ event, data }) => ((data as Fields)['type'] === event ? [] : [`${event} has another type`]))
  const numbers = events.map(({ data }) => Number((data as Fields)['sequence_number']))
  if (numbers.some((number, i) => number < (numbers[i - 1] ?? 0))) problems.push(`the numbers fall: ${numbers.join()}`)
  const ends = events.flatMap(({ event }, i) => (/^response\.(completed|incomplete|failed)$/.test(event) ? [i] : []))
  if (ends.length !== 1 || ends[0] !== events.length - 1) problems.push('it does not end with the one event that ends it')
  if (events[0]?.event !== 'response.created') problems.push(`it begins with ${String(events[0]?.event)}`)
  return problems
}

/** Chunks, one that says why it ended, the usage where it is asked for, `[DONE]`; or an error that ends it anywhere. */
function chunkOrder(events: readonly DoorEvent[]): string[] {
  const kinds = events.map(({ event, data }) => {
    if (event !== 'message') return `event:${event}`
    if (data === '[DONE]') return 'done'
    if ('error' in (data as Fields)) return 'error'
    const { choices } = data as { readonly choices: readonly { readonly finish_reason: unknown }[] }
    return choices.length === 0 ? 'usage' : choices[0]?.finish_reason === null ? 'piece' : 'reason'
  })
  const order = kinds.join(' ')
  return /^((piece )*reason (usage )?done|(piece )*error)$/.test(order) ? [] : [`the events come in the order ${order}`]
}
