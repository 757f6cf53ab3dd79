import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A server under measurement, in a process of its own. */
export interface BenchServer {
  readonly port: number
  /** CPU time of the process so far, all threads, microseconds. */
  cpuMicros(): Promise<number>
  /** Resident memory of the process, MiB. */
  rssMib(): Promise<number>
  /** Sends a question of this server's own and waits for its answer. */
  ask(question: object): Promise<object>
  stop(): Promise<void>
}

/** What a server process says. */
export type ServerMessage = { readonly port: number } | { readonly cpu: number; readonly rss: number } | object

/** What a server is started with. */
interface StartOptions {
  readonly args?: readonly string[]
  /** Options of Node. */
  readonly execArgv?: string[]
}

/** The options of Node that `npm start` has. */
export function startOptions(): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly scripts: { readonly start: string }
  }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}

/** Starts `bench/servers/<name>.ts`; resolves when it listens. */
export async function startServer(name: string, { args = [], execArgv = [] }: StartOptions = {}): Promise<BenchServer> {
  const file = fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url))
  const child = fork(file, args, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const first = await nextMessage(child)
  if (!('port' in first)) throw new Error(`${name} did not say its port`)
  const usage = async (): Promise<{ readonly cpu: number; readonly rss: number }> => {
    child.send('usage')
    const answer = await nextMessage(child)
    if (!('cpu' in answer)) throw new Error(`${name} did not say what it uses`)
    return answer
  }
  return {
    port: first.port,
    cpuMicros: async () => (await usage()).cpu,
    rssMib: async () => (await usage()).rss / 2 ** 20,
    ask: (question) => {
      child.send(question)
      return nextMessage(child)
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      // It ends by itself, and clears away what it has on disk.
      child.disconnect()
      await gone
    },
  }
}

function nextMessage(child: ChildProcess): Promise<ServerMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`the server ended with ${String(code)}`))
    }
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message as ServerMessage)
    })
  })
}
