import { parseArgs } from 'node:util'
import { namedEngine, type NamedEngine } from './named-engine.ts'
import { hint } from '../domain/nearest.ts'
import { ConfigError } from './problem.ts'

/** What the command line asks for. */
export interface Command {
  /** `help` and `version` only print something, `check` only checks the configuration. */
  readonly does: 'run' | 'check' | 'help' | 'version'
  /** The configuration file, where one is named. */
  readonly file?: string
  /** Servers of engines, in place of the pools of the configuration. */
  readonly engines: readonly NamedEngine[]
}

const options = {
  config: { type: 'string' },
  engine: { type: 'string' },
  check: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

const words = Object.keys(options).map((name) => `--${name}`)

/** Reads the command line. @throws ConfigError naming all that it does not know */
export function readCommandLine(args: readonly string[]): Command {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const problems: string[] = []
  const engines: NamedEngine[] = []
  let files = 0
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${token.value}: is not an option; a configuration file is named by --config FILE`)
    if (token.kind !== 'option') continue
    const { rawName, name, value } = token
    if (name === 'config') {
      files++
      if (value === undefined || value === '') problems.push('--config: needs a FILE')
    } else if (name === 'engine') {
      if (value === undefined || value === '') problems.push('--engine: needs the URL of a server')
      else collect(problems, () => engines.push(namedEngine('--engine', value)))
    } else if (!(name in options)) problems.push(`${rawName}: is not known; ${hint(rawName, words)}`)
    else if (value !== undefined) problems.push(`${rawName}: takes no value`)
  }
  if (files > 1) problems.push('--config: is given twice')
  if (problems.length > 0) throw new ConfigError([...problems, 'orchestratord --help shows what it takes'])
  const does = (['help', 'version', 'check'] as const).find((name) => values[name] === true) ?? 'run'
  return { does, engines, ...(typeof values.config === 'string' ? { file: values.config } : {}) }
}

function collect(problems: string[], read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(error.message)
  }
}
