import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What reads the outcome of a gate: a check passes or fails as one, mocha counts its tests, cucumber-js its scenarios. */
export type Kind = 'check' | 'mocha' | 'cucumber'

export interface Gate {
  readonly name: string
  readonly kind: Kind
  /** A command line for the shell. */
  readonly command: string
  /** How to run only this gate. */
  readonly alone: string
  /** Environment beside the caller's. */
  readonly env: Readonly<Record<string, string>>
}

/** The scripts of package.json that `npm test` runs. The slow ones begin first, so that what runs side by side ends together. */
const quickScripts = [
  'test:e2e',
  'test:clients',
  'test:engines',
  'features',
  'test:unit',
  'lint',
  'test:wire',
  'types',
  'sdk:build',
  'web:build',
  'format',
  'unused',
  'metrics:lint',
  'deps',
  'contract',
]

const kindOf = (command: string): Kind => (/^(mocha|cucumber)\b/.exec(command)?.[1] ?? 'check') as Kind

/**
 * The gates of `npm test`, their commands as package.json has them.
 * @throws Error for a script that package.json lacks
 */
export function quickGates(root: string): Gate[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  return quickScripts.map((name) => {
    const command = scripts[name]
    if (command === undefined) throw new Error(`package.json has no script ${name}`)
    return { name, kind: kindOf(command), command, alone: `npm run ${name}`, env: {} }
  })
}

const isReal = (file: string): boolean => file.startsWith('test/real/')

/**
 * The gates of `npm run test:long`: one for each long test file. A file is long by its folder (`test/real`: what runs there for real may not be
 * installed, and is skipped then), by its name (`*.long.test.ts`), or because it has `test/harness/long.ts` from an import, however far; `npm test`
 * leaves the first two out.
 */
export function longGates(root: string): Gate[] {
  const env = { TEST_LONG: '1' }
  return longTests(root).map((file) => {
    // Who waits in vain says so long before that: the limit is for what hangs without a word.
    const options = `--timeout 1200000 ${isReal(file) ? '--no-forbid-pending ' : ''}`
    return { name: file, kind: 'mocha', command: `mocha ${options}${file}`, alone: `TEST_LONG=1 npm run mocha -- ${options}${file}`, env }
  })
}

/** Test files that are long by nature, from the root: those that run for real, which take longest, and the others in order. */
export function longTests(root: string): string[] {
  const texts = new Map(globSync('test/**/*.ts', { cwd: root }).map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const found = new Set(['test/harness/long.ts'])
  // A set gives what is added while it is walked, too.
  for (const imported of found)
    for (const [file, text] of texts) if (new RegExp(`from '\\.[^']*/${basename(imported)}'`).test(text)) found.add(file)
  for (const file of texts.keys()) if (isReal(file) || file.endsWith('.long.test.ts')) found.add(file)
  const files = [...found].filter((file) => file.endsWith('.test.ts')).sort()
  return [...files.filter(isReal), ...files.filter((file) => !isReal(file))]
}
