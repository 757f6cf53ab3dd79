/** A server that speaks OpenAI's API, as a process tree: its child ignores SIGTERM, as those of real engines may. It writes what it is. */
import { spawn } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values: given } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    /** It ignores SIGTERM, too, and says so. */
    stubborn: { type: 'boolean', default: false },
    /** It says so and exits with this code before it listens. */
    dies: { type: 'string' },
    /** It starts, and never listens. */
    mute: { type: 'boolean', default: false },
    /** Name of its model; it cannot load one called broken. */
    model: { type: 'string', default: 'm' },
    /** What else it was told; only shown. */
    shown: { type: 'string', multiple: true, default: [] },
  },
})

const stay = "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000); process.stdout.write('')"
const child = spawn(process.execPath, ['-e', stay], { stdio: 'ignore' })
const about = { pid: process.pid, child: child.pid, shown: given.shown, env: process.env }
process.stdout.write(`${JSON.stringify(about)}\n`)
if (given.stubborn) process.on('SIGTERM', () => process.stdout.write('told to end\n'))
if (given.model === 'broken') process.exit(1)
if (given.dies !== undefined) {
  process.stderr.write('no \u001b[31mmemory\u001b[0m left\n')
  process.exit(Number(given.dies))
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  for (let i = 0; i < 20 && !response.destroyed; i++) {
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, text: ` ${String(i)}`, finish_reason: null }] })}\n\n`)
    await pause(20)
  }
  response.end(`data: ${JSON.stringify({ choices: [{ index: 0, text: '', finish_reason: 'length' }] })}\n\ndata: [DONE]\n\n`)
}

const server = createServer((request, response) => {
  request.resume()
  if (request.url === '/v1/completions') return void stream(response)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ data: [{ id: given.model, max_model_len: 256 }] }))
})
if (given.mute) setInterval(() => undefined, 1000)
else server.listen(Number(given.port), '127.0.0.1')
server.on('error', ({ message }) => {
  process.stderr.write(message)
  process.exit(3)
})
