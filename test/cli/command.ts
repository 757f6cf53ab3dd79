import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { freshProgram } from '../harness/fresh.ts'

const root = join(import.meta.dirname, '../..')

/** The program, bundled as `npm start` and the package have it. */
export const program = await freshProgram()

/** How a command ended and what it printed. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How a command is run. */
export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly printed: { stdout: string; stderr: string }
  readonly ended: Promise<Ended>
}

const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ORCHD_|NO_COLOR)/.test(name)))

/** Starts the real program; nothing of ours is in its environment but what is given. */
export function start(args: readonly string[], { input, env = {}, cwd = root }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...inherited, ...env } })
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (chunk: string) => (printed[name] += chunk))
  child.stdin.end(input)
  const ended = new Promise<Ended>((resolve, reject) => child.on('error', reject).on('close', (status) => resolve({ status, ...printed })))
  return { child, printed, ended }
}

/** Runs the real program to its end. */
export const orchestratord = async (args: readonly string[], options: RunOptions = {}): Promise<Ended> => start(args, options).ended
