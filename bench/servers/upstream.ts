import { createServer, type ServerResponse } from 'node:http'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { stamp } from '../relay/stamp.ts'
import { report } from './report.ts'

/** What the upstream is told. */
export interface UpstreamCommand {
  /** From now on streams stay open after their first token. */
  readonly hold?: boolean
  /** Lets tokens flow over all open streams: at so many a second over all, each with its stamp, or as fast as they are taken. */
  readonly flow?: { readonly tokens: number; readonly rate?: number }
  /** Writes so many tokens to each open stream, in one piece. */
  readonly burst?: number
  /** Ends all open streams. */
  readonly end?: true
  /** Tells since the last time when clients left before the end, microseconds. */
  readonly left?: true
}

// An OpenAI-compatible server that answers at once: what it costs is not what is measured.
let hold = false
const open = new Set<ServerResponse>()
let left: number[] = []

const chunkOf = (delta: object, finish_reason: string | null = null, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1790000000, model: 'bench', choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...more })}\n\n`
const tokenOf = (content: string): string => chunkOf({ content })

const usage = { prompt_tokens: 8, completion_tokens: 1, total_tokens: 9 }
const begin = chunkOf({ role: 'assistant', content: '' }) + tokenOf('Once')
const rest = `${chunkOf({}, 'stop', { usage })}data: [DONE]\n\n`
const word = tokenOf(' upon')
const stamped = tokenOf('@')

const whole = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1790000000, model: 'bench' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Once' }, logprobs: null, finish_reason: 'stop' }],
  usage,
})

/** One chunk of the body in one piece: node:http writes four. */
const asChunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

function answer(res: ServerResponse, stream: boolean): void {
  res.on('close', () => {
    open.delete(res)
    if (!res.writableEnded) left.push(stamp())
  })
  if (!stream) {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': whole.length }).end(whole)
    return
  }
  res.writeHead(200, { 'Content-Type': 'text/event-stream' })
  res.flushHeaders()
  res.chunkedEncoding = false
  if (hold) {
    open.add(res)
    res.write(asChunk(begin))
  } else res.end(`${asChunk(begin + rest)}0\r\n\r\n`)
}

const server = createServer((req, res) => {
  const body: Buffer[] = []
  req.on('data', (piece: Buffer) => body.push(piece))
  req.on('end', () => {
    if (req.method === 'GET') {
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify({ object: 'list', data: [{ id: 'bench', object: 'model', max_model_len: 1_000_000 }] }))
    } else answer(res, Buffer.concat(body).includes('"stream":true'))
  })
})

/** As fast as they are taken: with each turn of the event loop one token for every stream that has room. */
async function flood(tokens: number): Promise<void> {
  const sent = new Map([...open].map((res) => [res, 0]))
  while (sent.size > 0) {
    for (const [res, count] of sent) {
      if (res.writableNeedDrain && !res.destroyed) continue
      if (count === tokens || res.destroyed) sent.delete(res)
      else {
        res.write(asChunk(word))
        sent.set(res, count + 1)
      }
    }
    await setImmediate()
  }
}

/** At a rate over all streams, in turn, each with the moment at which it is written. */
async function pace(tokens: number, rate: number): Promise<void> {
  const streams = [...open]
  const total = streams.length * tokens
  const started = performance.now()
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) * rate) / 1000))
    for (; sent < due; sent++) {
      const res = streams[sent % streams.length]
      if (res?.destroyed === false) res.write(asChunk(stamped.replace('@', `@${stamp()}@`)))
    }
    await setTimeout(1)
  }
}

report(server, async (question) => {
  const command: UpstreamCommand = question
  if (command.hold !== undefined) hold = command.hold
  if (command.burst !== undefined) for (const res of open) res.write(asChunk(word.repeat(command.burst)))
  if (command.flow !== undefined)
    await (command.flow.rate === undefined ? flood(command.flow.tokens) : pace(command.flow.tokens, command.flow.rate))
  if (command.end === true) for (const res of open) res.end(`${asChunk(rest)}0\r\n\r\n`)
  if (command.left !== true) return {}
  const told = { left }
  left = []
  return told
})
