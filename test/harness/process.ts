import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshProgram } from './fresh.ts'
import { inTime } from './wait.ts'

/** The daemon as `npm start` runs it. */
const program = await freshProgram()

/** Where the demonstration model is. */
export const modelsDir = fileURLToPath(new URL('../../models', import.meta.url))

/** A process that lives longer than this is killed, ms. */
const guard_ms = 1_200_000

/** One JSON line of the daemon's log. */
export type ProcessLine = Readonly<Record<string, unknown>>

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProcessOptions {
  /** The configuration file; `listen` and `models_dir` have defaults that suit a test. A string is written as it is. */
  readonly config?: Readonly<Record<string, unknown>> | string
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the daemon. */
  readonly prefix?: readonly string[]
  /** Instead of `--config FILE`. */
  readonly args?: readonly string[]
}

/** A directory of its own for a test; `remove` deletes it. */
export function temporaryDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'orchd-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The real daemon in a process of its own. */
export class DaemonProcess {
  readonly lines: ProcessLine[] = []
  stderr = ''
  readonly exited: Promise<Exit>
  private readonly child: ChildProcess
  private over = false
  private rest = ''
  private waiting: (() => void)[] = []

  private constructor(dir: string, { config = {}, env = {}, prefix = [], args }: ProcessOptions) {
    const file = join(dir, 'orchestratord.yaml')
    // JSON is YAML.
    writeFileSync(
      file,
      typeof config === 'string'
        ? config
        : JSON.stringify({ listen: '127.0.0.1:0', data_dir: join(dir, 'data'), models_dir: modelsDir, ...config }),
    )
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ORCHD_'))
    const [command = '', ...rest] = [...prefix, process.execPath, program, ...(args ?? ['--config', file])]
    this.child = spawn(command, rest, { cwd: dir, env: { ...Object.fromEntries(inherited), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const guard = setTimeout(() => this.child.kill('SIGKILL'), guard_ms).unref()
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.onOutput(chunk))
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk))
    this.exited = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        clearTimeout(guard)
        this.over = true
        this.notify()
        resolve({ code, signal })
      })
    })
  }

  /** Starts the daemon; its files go to `dir`. Nothing is waited for. */
  static spawn(dir: string, options: ProcessOptions = {}): DaemonProcess {
    return new DaemonProcess(dir, options)
  }

  /** Starts the daemon and waits until each of its pools has a replica that is ready. */
  static async start(dir: string, options: ProcessOptions = {}): Promise<DaemonProcess> {
    const daemon = new DaemonProcess(dir, options)
    const { pools } = await daemon.line(({ event }) => event === 'start')
    for (const pool of pools as string[])
      await daemon.line(({ event, state, pool_id }) => event === 'replica' && state === 'ready' && pool_id === pool)
    return daemon
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Where it listens, from its start line. */
  get url(): string {
    const address = this.lines.find(({ event }) => event === 'start')?.['address']
    if (typeof address !== 'string') throw new Error('the daemon has not started')
    return address
  }

  /** The first line from number `from` on that fits, as soon as there is one. */
  async line(fits: (line: ProcessLine) => boolean, from = 0): Promise<ProcessLine> {
    for (;;) {
      const found = this.lines.slice(from).find(fits)
      if (found !== undefined) return found
      if (this.over) throw new Error(`the daemon ended before the line: ${this.stderr}${JSON.stringify(this.lines.slice(-3))}`)
      const next = new Promise<void>((resolve) => this.waiting.push(resolve))
      await inTime(next, `a line that fits ${String(fits)}; the last is ${JSON.stringify(this.lines.at(-1))}`)
    }
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (!this.over) this.child.kill(signal)
    return this.exited
  }

  private onOutput(chunk: string): void {
    const lines = (this.rest + chunk).split('\n')
    this.rest = lines.pop() ?? ''
    this.lines.push(...lines.map((line) => JSON.parse(line) as ProcessLine))
    this.notify()
  }

  private notify(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}
