import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { enginesOf } from '../../../src/compose/engines.ts'
import { checkConfig } from '../../../src/config/config.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import type { Engine, GenerateRequest } from '../../../src/ports/engine.ts'
import { untilAnswer } from '../../harness/wait.ts'

const nothing = (): void => undefined

/** The command of the program that plays a server. */
export const program = (...args: string[]): string[] => [
  process.execPath,
  fileURLToPath(new URL('program.ts', import.meta.url)),
  '--port',
  '{port}',
  ...args,
]

/** A pool whose server is the program. */
export const managedPool = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'box',
  engine: 'openai',
  command: program(),
  replayable: false,
  stop_ms: 100,
  ...fields,
})

/** What the program says of itself when it starts. */
export interface About {
  readonly pid: number
  readonly child: number
  readonly shown: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** One managed engine as the daemon makes it, and what it wrote. */
export class ManagedBench {
  readonly lines: string[] = []
  readonly downs: Error[] = []
  readonly engine: Engine

  private constructor(engine: (onLine: (line: string) => void) => Engine) {
    this.engine = engine((line) => this.lines.push(line))
  }

  static async of(fields: Record<string, unknown> = {}): Promise<ManagedBench> {
    const config = checkConfig({ data_dir: ':memory:', pools: [managedPool(fields)] })
    const [pool] = config.pools
    let onLine: (line: string) => void = nothing
    const info = (entry: Readonly<Record<string, unknown>>): void => onLine(String(entry['output']))
    const engines = await enginesOf({ config, clock: systemClock, log: { info, warn: nothing, error: nothing } })
    return new ManagedBench((take) => {
      onLine = take
      return engines(pool!, pool!.replicas[0]!, () => Promise.reject(new Error('there is no catalog')))
    })
  }

  start(): ReturnType<Engine['start']> {
    return this.engine.start((reason) => this.downs.push(reason))
  }

  /** What the newest process said of itself, as soon as it has. */
  about(nth = 1): Promise<About> {
    const lines = (): string[] => this.lines.filter((line) => line.startsWith('{"pid"'))
    return untilAnswer(
      () => Promise.resolve(lines()),
      (found) => found.length >= nth,
    ).then((found) => JSON.parse(found.at(-1) ?? '') as About)
  }
}

/** Whether a process is there and is no zombie: in a container without an init these stay. */
export function isThere(pid: number): boolean {
  const [state] = statOf(pid)
  return state !== undefined && state !== 'Z'
}

/** The process group of a process. */
export const groupOf = (pid: number): number => Number(statOf(pid)[2])

/** State, parent, group and the rest of /proc/PID/stat. */
function statOf(pid: number): string[] {
  if (!existsSync(`/proc/${pid}`)) return []
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

export const request: GenerateRequest = {
  prompt: { text: 'Count.' },
  max_tokens: 20,
  seed: 1,
  sampling: {},
  chat: {},
  kv: 'cold',
  session: 's',
}
