import { examine, type Config } from './check.ts'
import { readEnvironment, withSettings, type Setting } from './environment.ts'
import { readConfigFile, type ConfigFile } from './file.ts'
import { ConfigError, contains, problemText, type Problem } from './problem.ts'
import { keysAreSet } from './remote.ts'
import type { Relation } from './relation.ts'

/** A configuration that may be used. */
export interface Loaded {
  readonly config: Config
  /** Pools of the default configuration that cannot run here, with the reason, a line each: nobody asked for them. */
  readonly left_out: readonly string[]
}

/**
 * The only reader of the configuration file and, with its `env`, of the environment: the file that is named, else `orchestratord.yaml` if
 * present, then `ORCHD_*`.
 * @param found what comes in place of the file's and the environment's: pools of servers that were asked
 * @param relations what has to hold beside what the configuration says of itself, such as that the files of models are there
 * @throws ConfigError naming everything that is wrong, with its file and line or its variable
 */
export function loadConfig(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  found: readonly Setting[] = [],
  ...relations: readonly Relation[]
): Loaded {
  const { settings: fromEnvironment, problems: unread } = readEnvironment(env)
  const settings = [...fromEnvironment, ...found]
  const file = fileBeside(unread, named)
  const given = withSettings(file?.value ?? {}, settings)
  const { config, problems } = examine(given, [...relations, keysAreSet(env)])
  const refuse = (wrong: readonly Problem[]): void => {
    if (unread.length + wrong.length > 0) throw new ConfigError([...unread, ...located(wrong, file, settings)])
  }
  const left = 'pools' in given ? [] : problems.filter(({ path: [first] }) => first === 'pools')
  refuse(problems.filter((problem) => !left.includes(problem)))
  const pools = config.pools.filter((_, i) => !left.some(({ path }) => path[1] === i))
  if (pools.length === 0) refuse(left)
  return { config: { ...config, pools }, left_out: located(left, file, settings) }
}

/** The file; what is wrong with it is said beside what is wrong with the environment. */
function fileBeside(unread: readonly string[], named: string | undefined): ConfigFile | undefined {
  try {
    return readConfigFile(named)
  } catch (error) {
    if (error instanceof ConfigError && unread.length > 0) throw new ConfigError([...unread, error.message], { cause: error })
    throw error
  }
}

/** The problems with their sources: those of variables first, then in the order of the file. */
function located(problems: readonly Problem[], file: ConfigFile | undefined, settings: readonly Setting[]): string[] {
  const lines = problems.map((problem) => {
    const setting = settings.find(({ path }) => contains(path, problem.path))
    if (setting !== undefined) return { line: 0, text: `${setting.variable}: ${problemText(problem)}` }
    if (file === undefined) return { line: 0, text: `default configuration: ${problemText(problem)}` }
    const place = file.where(problem.path)
    return { line: place.line, text: `${place.file}:${place.line}: ${problemText(problem)}` }
  })
  return lines.sort((a, b) => a.line - b.line).map(({ text }) => text)
}
