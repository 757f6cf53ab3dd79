import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { ConfigError, type Path } from './problem.ts'

/** Read where no other file is named, if it is there. */
export const defaultFile = 'orchestratord.yaml'

/** What a configuration file says. */
export interface ConfigFile {
  readonly value: Readonly<Record<string, unknown>>
  /** The file and the line of the value at a path, or of the innermost thing around it that is there. */
  where(path: Path): { readonly file: string; readonly line: number }
}

// 72 files that a start without a file does without.
const require = createRequire(import.meta.url)
const yaml = (): typeof Yaml => require('yaml') as typeof Yaml

/**
 * Reads a configuration file: the one that is named, else the default one; undefined where that is not there.
 * @throws ConfigError where it cannot be read or is not a YAML mapping
 */
export function readConfigFile(named: string | undefined): ConfigFile | undefined {
  const file = named ?? defaultFile
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (named === undefined && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new ConfigError([`${file}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`], { cause })
  }
  const { LineCounter: Counter, parseDocument } = yaml()
  const lines = new Counter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const value = valueOf(document, file, lines)
  return { value, where: (path) => ({ file, line: lineOf(document, path, lines) }) }
}

function valueOf(document: Yaml.Document.Parsed, file: string, lines: Yaml.LineCounter): Readonly<Record<string, unknown>> {
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos: [start] }) => `${file}:${lines.linePos(start).line}: ${message}`)
    throw new ConfigError([...new Set(problems)], { cause: document.errors[0] })
  }
  refuseMerges(document, file, lines)
  let value: unknown
  try {
    value = document.toJS()
  } catch (cause) {
    throw new ConfigError([`${file}: ${cause instanceof Error ? cause.message : String(cause)}`], { cause })
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new ConfigError([`${file}: the file must be a mapping of keys to values`])
  return value as Readonly<Record<string, unknown>>
}

/** YAML 1.1 merges what `<<` names into its mapping, 1.2 takes it for a name like any other: it is not left to the version. */
function refuseMerges(document: Yaml.Document.Parsed, file: string, lines: Yaml.LineCounter): void {
  const { isScalar, visit } = yaml()
  const problems: string[] = []
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.source !== '<<') return
      problems.push(`${file}:${lines.linePos(key.range?.[0] ?? 0).line}: <<: merge keys are not taken; write out what they would bring`)
    },
  })
  if (problems.length > 0) throw new ConfigError(problems)
}

function lineOf(document: Yaml.Document.Parsed, path: Path, lines: Yaml.LineCounter): number {
  const { isAlias, isMap, isNode, isScalar, isSeq } = yaml()
  let node: unknown = document.contents
  let start = 0
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step)
      if (pair === undefined) break
      if (isNode(pair.key)) start = pair.key.range?.[0] ?? start
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      if (isNode(node)) start = node.range?.[0] ?? start
    } else break
  }
  return lines.linePos(start).line
}
