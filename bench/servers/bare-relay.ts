import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { report } from './report.ts'

// The least a relay can do that reads what it passes on: node:http, each body parsed and each frame parsed and written anew.
const agent = new Agent({ keepAlive: true })
let upstream = 0

function relayFrames(from: IncomingMessage, to: ServerResponse): void {
  let text = ''
  from.setEncoding('utf8')
  from.on('data', (piece: string) => {
    text += piece
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = text.slice('data: '.length, end)
      text = text.slice(end + 2)
      to.write(data === '[DONE]' ? 'data: [DONE]\n\n' : `data: ${JSON.stringify(JSON.parse(data))}\n\n`)
    }
  })
  from.on('end', () => to.end())
}

function relayWhole(from: IncomingMessage, to: ServerResponse): void {
  let text = ''
  from.setEncoding('utf8')
  from.on('data', (piece: string) => (text += piece))
  from.on('end', () => {
    const body = JSON.stringify(JSON.parse(text))
    to.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body)
  })
}

const server = createServer((req, res) => {
  let text = ''
  req.setEncoding('utf8')
  req.on('data', (piece: string) => (text += piece))
  req.on('end', () => {
    const body = JSON.stringify(JSON.parse(text))
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const call = request({ agent, port: upstream, host: '127.0.0.1', path: req.url, method: 'POST', headers }, (answer) => {
      answer.on('error', () => res.destroy())
      if (answer.headers['content-type'] === 'text/event-stream') {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' })
        relayFrames(answer, res)
      } else relayWhole(answer, res)
    })
    call.on('error', () => res.destroy())
    res.on('close', () => {
      if (!res.writableFinished) call.destroy()
    })
    call.end(body)
  })
})

report(server, (question) => {
  upstream = (question as { readonly upstream: number }).upstream
  return Promise.resolve({})
})
