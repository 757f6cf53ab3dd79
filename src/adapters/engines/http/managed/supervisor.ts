/**
 * Runs the command of one server. It leads a process group, which the server and all that it starts belong to, and holds a channel to the
 * daemon: when that closes, because the daemon wants it or is dead, the whole group ends. While it lives no other group can get its id.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { stop, type Ending, type RunCommand } from './protocol.ts'

let server: ChildProcess | undefined
let stop_ms = 0
let ending = false

/** Everything in the group, itself last of all. */
const kill = (): void => void process.kill(-process.pid, 'SIGKILL')

/** The server is no more; only an end that nobody asked for is news. */
function over(how: Ending): void {
  if (process.send === undefined || (ending && asAsked(how))) kill()
  else process.send(how, undefined, undefined, kill)
}

/** By SIGTERM, or by itself: a signal of somebody else may have hit it before it was told, and be heard of later. */
const asAsked = (how: Ending): boolean => how.type === 'failed' || how.signal === null || how.signal === 'SIGTERM'

function run({ argv, env, stop_ms: grace }: RunCommand): void {
  const [program = '', ...rest] = argv
  stop_ms = grace
  server = spawn(program, rest, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  server.on('exit', (code, signal) => over({ type: 'exited', code, signal }))
  server.on('error', ({ message }) => {
    if (server?.pid === undefined) over({ type: 'failed', message })
  })
}

function end(): void {
  if (ending) return
  ending = true
  // It hears its own signal and goes on; the server's end or the time is what ends it.
  process.kill(-process.pid, 'SIGTERM')
  setTimeout(kill, stop_ms)
}

process.on('message', (message) => {
  // If the server has just died by itself, that is heard first.
  if (message === stop) setImmediate(end)
  else run(message as RunCommand)
})
process.on('disconnect', end)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
