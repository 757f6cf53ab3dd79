import { createServer } from 'node:http'
import { follow, type FlowCommand, type OpenStream } from './feed.ts'
import { report } from './report.ts'

/** The frames of one stream of the daemon. */
export interface RecordedStream {
  readonly started: string
  readonly tokens: readonly string[]
  /** Metrics and end. */
  readonly rest: string
}

// What the platform itself costs: node:http writing frames that were recorded, one by one, to every connection.
let recorded: RecordedStream = { started: '', tokens: [], rest: '' }
const open: OpenStream[] = []

const server = createServer((_req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
  res.write(recorded.started)
  let due = 0
  let sent = 0
  let ended = false
  let writable = true
  const pump = (): void => {
    while (writable && sent < due) writable = res.write(recorded.tokens[sent++] ?? '')
    if (ended && sent === due) res.end(recorded.rest)
  }
  res.on('drain', () => {
    writable = true
    pump()
  })
  const emit = (token: number): void => {
    due = token + 1
    pump()
  }
  const end = (): void => {
    ended = true
    pump()
  }
  open.push({ emit, end })
})

report(server, (question: FlowCommand & { readonly recorded?: RecordedStream }) => {
  if (question.recorded === undefined) return follow(open, question)
  recorded = question.recorded
  return Promise.resolve({})
})
