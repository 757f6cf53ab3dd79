import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
/** Where documents say that the daemon is. */
const documented = 'http://127.0.0.1:8080'

/** Blocks of commands for a shell, in order. */
const blocksOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block)

for (const file of globSync('docs/*.md', { cwd: root }).filter((name) => blocksOf(name).length > 0))
  describe(`the commands of ${file}`, () => {
    let daemon: TestDaemon
    before(async () => {
      daemon = await startDaemon()
    })
    after(() => daemon.stop())

    for (const block of blocksOf(file))
      it(block.split('\n')[0] ?? '', async () => {
        const commands = block.replaceAll(documented, daemon.url).replaceAll('curl -s', 'curl -s --fail-with-body')
        const { stdout } = await run('bash', ['-euc', commands], { env: { ...process.env, KEY: keys.all } })
        assert.match(stdout, /^\{/)
        assert.doesNotMatch(stdout, /"code":/)
      })
  })
