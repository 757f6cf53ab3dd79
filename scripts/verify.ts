/**
 * `npm test`: every gate in turn, each shown with its own output; the last line counts what passed and failed.
 * A gate counts as one; mocha counts its tests.
 */
import { spawn } from 'node:child_process'

interface Gate {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const gates: readonly Gate[] = [
  { name: 'codegen drift', command: ['node', 'scripts/codegen.ts', '--check'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['eslint', '.'] },
  { name: 'dependency rules', command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'scripts', 'test', 'bench'] },
  { name: 'unused code', command: ['knip', '--no-config-hints'] },
  { name: 'tests', command: ['mocha'] },
]

/** Runs a command with its output shown as it comes. Resolves with its exit status and what it printed. */
function run([file, ...args]: Gate['command']): Promise<{ readonly status: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ status: code ?? 1, output })
    })
  })
}

const countOf = (output: string, word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)

let passed = 0
let failed = 0
for (const { name, command } of gates) {
  console.log(`\n== ${name}: ${command.join(' ')}`)
  const { status, output } = await run(command)
  const tests = command[0] === 'mocha' ? { passing: countOf(output, 'passing'), failing: countOf(output, 'failing') } : undefined
  passed += tests?.passing ?? (status === 0 ? 1 : 0)
  // A runner that ends badly without naming a failure has failed all the same, and so has one that ran nothing.
  failed += Math.max(tests?.failing ?? 0, status === 0 && tests?.passing !== 0 ? 0 : 1)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
