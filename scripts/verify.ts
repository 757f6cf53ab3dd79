/**
 * `npm test`: every gate in turn, each shown with its own output; the last line counts what passed and failed.
 * A gate counts as one; mocha counts its tests, cucumber-js its scenarios.
 */
import { spawn } from 'node:child_process'

interface Gate {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const gates: readonly Gate[] = [
  { name: 'contract', command: ['node', 'scripts/contract.ts'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['eslint', '.'] },
  { name: 'dependency rules', command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'scripts', 'test', 'bench'] },
  { name: 'unused code', command: ['knip', '--no-config-hints'] },
  { name: 'metrics', command: ['node', 'scripts/metrics-lint.ts'] },
  { name: 'tests', command: ['mocha'] },
  { name: 'features', command: ['cucumber-js'] },
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

interface Counts {
  readonly passed: number
  readonly failed: number
}

const numberBefore = (output: string, pattern: string): number => Number(new RegExp(`^\\s*(\\d+) ${pattern}`, 'm').exec(output)?.[1] ?? 0)

/** How the runners among the gates count what they ran. A scenario that did not pass has failed, whatever else cucumber-js calls it. */
const countsOf: Readonly<Record<string, (output: string) => Counts>> = {
  mocha: (output) => ({ passed: numberBefore(output, 'passing'), failed: numberBefore(output, 'failing') }),
  'cucumber-js': (output) => {
    const [summary = ''] = /^\d+ scenarios?.*$/m.exec(output) ?? []
    const passed = Number(/(\d+) passed/.exec(summary)?.[1] ?? 0)
    return { passed, failed: numberBefore(summary, 'scenario') - passed }
  },
}

let passed = 0
let failed = 0
for (const { name, command } of gates) {
  console.log(`\n== ${name}: ${command.join(' ')}`)
  const { status, output } = await run(command)
  const tests = countsOf[command[0]]?.(output)
  passed += tests?.passed ?? (status === 0 ? 1 : 0)
  // A runner that ends badly without naming a failure has failed all the same, and so has one that ran nothing.
  failed += Math.max(tests?.failed ?? 0, status === 0 && tests?.passed !== 0 ? 0 : 1)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
