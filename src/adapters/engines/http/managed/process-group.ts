import { fork, type ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LineRate, LineSplitter } from '../../process/output.ts'
import { signalled, survivorsOf } from './survivors.ts'
import { stop, type Ending, type RunCommand } from './protocol.ts'

/** Lines of the end of the error output that are told again when a server dies. */
const last_lines = 10
/** How often it is looked whether anything of a group is left, ms. */
const look_ms = 20
/** How long a zombie may take for a member, ms: looking at every process of the machine is dear. */
const exactly_ms = 200
/** How long is looked for what does not even end by SIGKILL, ms: a process may hang in a driver. */
const longest_look_ms = 30_000
/** What a supervisor may take beyond the grace of its server, ms. */
const late_ms = 2000

/** A server's command in a process group of its own: from its start until nothing of the group is left. */
export class ProcessGroup {
  /** Resolves when the server's process has ended by itself or was stopped, or could not be started: in plain words how. */
  readonly ended: Promise<string>
  private readonly supervisor: ChildProcess
  private readonly stop_ms: number
  private readonly onOutput: (line: string) => void
  private readonly gone: Promise<void>
  private readonly errors: string[] = []
  private stopping = false

  /** @param onOutput takes what it writes, line by line, escaped and capped, and how it ended */
  constructor(command: RunCommand, onOutput: (line: string) => void) {
    this.stop_ms = command.stop_ms
    this.onOutput = onOutput
    const end = Promise.withResolvers<string>()
    this.ended = end.promise
    this.supervisor = fork(fileURLToPath(new URL('./supervisor.ts', import.meta.url)), [], {
      // Its own session and group; nothing of the daemon's environment.
      detached: true,
      env: {},
      execArgv: [],
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.readOutput()
    const told = (how: string): void => {
      this.tell(how)
      end.resolve(how)
    }
    this.supervisor.on('message', (ending) => told(textOf(ending as Ending)))
    const [exit, closed] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    this.supervisor.on('exit', () => exit.resolve(undefined))
    // Only then everything has been heard that it said.
    this.supervisor.on('disconnect', () => closed.resolve(undefined))
    this.supervisor.on('error', (error) => {
      if (this.supervisor.pid !== undefined) return
      told(`could not be started: ${error.message}`)
      exit.resolve(undefined)
      closed.resolve(undefined)
    })
    this.gone = Promise.all([exit.promise, closed.promise]).then(async () => {
      end.resolve('lost its supervisor')
      await this.clear()
    })
    // A failed send means that the supervisor is dying: `exit` follows.
    // Without a process there is no way to it, and `error` follows.
    if (this.supervisor.pid !== undefined) this.supervisor.send(command, () => undefined)
  }

  /** Ends everything in the group. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    if (!this.stopping) {
      this.stopping = true
      this.supervisor.send(stop, () => undefined)
      const force = setTimeout(() => this.kill(), this.stop_ms + late_ms)
      void this.gone.then(() => clearTimeout(force))
    }
    await this.gone
  }

  private tell(how: string): void {
    const last = this.errors.length === 0 ? '' : `; the last it wrote as errors: ${this.errors.join(' | ')}`
    this.onOutput(`the process ${how}${last}`)
  }

  /** What the supervisor left, as when it was killed itself. */
  private async clear(): Promise<void> {
    const { pid } = this.supervisor
    if (pid === undefined) return
    this.kill()
    for (let waited = 0; await survivorsOf(pid, waited > exactly_ms); waited += look_ms) {
      if (waited > longest_look_ms) {
        this.onOutput(`processes of group ${pid} do not end by SIGKILL`)
        return
      }
      await pause(look_ms)
    }
  }

  private kill(): void {
    const { pid } = this.supervisor
    if (pid !== undefined) signalled(pid, 'SIGKILL')
  }

  private readOutput(): void {
    const { stdout, stderr } = this.supervisor
    const rate = new LineRate(this.onOutput)
    for (const stream of [stdout, stderr]) {
      const lines = new LineSplitter((line) => {
        if (stream === stderr && this.errors.push(line) > last_lines) this.errors.shift()
        rate.push(line)
      })
      stream?.setEncoding('utf8')
      stream?.on('data', (chunk: string) => lines.push(chunk))
      stream?.on('end', () => {
        lines.end()
        rate.flush()
      })
    }
  }
}

const textOf = (ending: Ending): string =>
  ending.type === 'failed' ? `could not be started: ${ending.message}` : `ended with ${ending.signal ?? `code ${ending.code}`}`
