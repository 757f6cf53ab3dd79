import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { call } from './http.ts'
import type { EngineCommand } from './real-engines.ts'
import { untilAnswer } from './wait.ts'

/** What is kept of an engine's output, characters. */
const kept = 16_384

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A real engine in a process group of its own. */
export class EngineProcess {
  readonly url: string
  readonly port: number
  /** The end of what it has written. */
  output = ''
  readonly exited: Promise<void>
  private readonly child: ChildProcess
  private over = false

  private constructor({ argv: [command = '', ...args], env = {} }: EngineCommand, port: number) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.child = spawn(command, args, { detached: true, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.output = (this.output + chunk).slice(-kept)))
    // A test run that is ended early leaves no engine behind.
    const end = (): void => this.kill('SIGKILL')
    process.once('exit', end)
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', () => {
        this.over = true
        process.removeListener('exit', end)
        resolve()
      })
    })
  }

  /**
   * Starts an engine, and waits until its health call answers 200.
   * @param port a free one unless given
   * @throws Error where it ends before
   */
  static async start(command: (port: number) => EngineCommand, health: string, port?: number): Promise<EngineProcess> {
    port ??= await freePort()
    const engine = new EngineProcess(command(port), port)
    await untilAnswer(
      () => engine.status(health),
      (status) => status === 200,
    )
    return engine
  }

  /** Sends a signal to it and all of its children. */
  kill(signal: NodeJS.Signals): void {
    if (!this.over && this.child.pid !== undefined) process.kill(-this.child.pid, signal)
  }

  /** Nothing of it is left. */
  async stop(): Promise<void> {
    this.kill('SIGKILL')
    await this.exited
  }

  /** Its answer to a call of its own, as JSON. */
  async ask(path: string, body?: unknown): Promise<unknown> {
    const answer = await call(this.url, path, body === undefined ? {} : { method: 'POST', body })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.text === '' ? undefined : JSON.parse(answer.text)
  }

  private async status(path: string): Promise<number> {
    if (this.over) throw new Error(`the engine ended before it was up: ${this.output}`)
    return call(this.url, path).then(
      ({ status }) => status,
      () => 0,
    )
  }
}
