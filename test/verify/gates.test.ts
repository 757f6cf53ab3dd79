import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { longGates, longTests, quickGates } from '../../scripts/verify/gates.ts'

import { temporaryDir } from '../harness/process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('the gates', () => {
  const inGlobs = (globs: readonly string[]): string[] => globs.flatMap((glob) => globSync(glob, { cwd: root }))

  it('run every test file once, and what is long or real only where that is asked for', () => {
    const run = quickGates(root)
      .filter(({ kind }) => kind === 'mocha')
      .flatMap(({ command }) => {
        const [wanted = '', ...ignored] = command.split('--ignore')
        const left = new Set(inGlobs(ignored.flatMap(quoted)))
        return inGlobs(quoted(wanted)).filter((file) => !left.has(file))
      })
    const later = longTests(root).filter((file) => !run.includes(file))
    assert.deepEqual([...run, ...later].sort(), globSync('test/**/*.test.ts', { cwd: root }).sort())
    assert.deepEqual(
      later.filter((file) => !file.startsWith('test/real/') && !file.endsWith('.long.test.ts')),
      [],
    )
  })

  it('may skip what is not installed, and nothing else; those that are scripts of nobody are none', () => {
    for (const { name, command, env } of longGates(root)) {
      assert.equal(command.includes('--no-forbid-pending'), name.startsWith('test/real/'), name)
      assert.equal(env['TEST_LONG'], '1')
    }
    const dir = temporaryDir()
    writeFileSync(join(dir.path, 'package.json'), JSON.stringify({ scripts: {} }))
    assert.throws(() => quickGates(dir.path), /package\.json has no script test:e2e/)
    dir.remove()
  })

  it('have a long one for each test file that repeats more there, also through a suite', () => {
    const files = longTests(root)
    assert.ok(files.includes('test/e2e/crash.long.test.ts') && files.includes('test/conformance/embedded.test.ts'), files.join(' '))
    assert.ok(!files.includes('test/verify/gates.test.ts'), 'what names the helper does not import it')
    for (const file of globSync('test/**/*.test.ts', { cwd: root }))
      if (/\brepeats\(/.test(readFileSync(join(root, file), 'utf8'))) assert.ok(files.includes(file), file)
  })
})

describe('what npm is told', () => {
  it('no package runs a script of its own while it is installed', () => {
    const lines = readFileSync(join(root, '.npmrc'), 'utf8').split('\n')
    assert.ok(lines.includes('ignore-scripts=true'))
    // Scripts of ours that npm would run by itself, around others or on install, would not run either.
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const bySelf = /^(pre|post)|^(install|prepare)$/
    assert.deepEqual(
      Object.keys(scripts).filter((name) => bySelf.test(name)),
      [],
    )
  })
})

const quoted = (command: string): string[] => [...command.matchAll(/"([^"]*)"/g)].map(([, glob = '']) => glob)
